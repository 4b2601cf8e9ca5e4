"""The internal models that every protocol is translated to and from, in OCPI's vocabulary where it has a word."""
