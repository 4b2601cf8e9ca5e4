import re

from tests.project.files import PACKAGES, ROOT, tracked

MOST_LINES = 500
INDEX = re.compile(r"--(extra-)?index[-]url|--find[-]links|https?://[^ \"]*/simple([/\" ]|$)", re.MULTILINE)
MACHINE = re.compile(r"(?<![\w.*-])/(home|root|Users|work|workspace)/[\w.-]")


def texts() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            found.append((str(path.relative_to(ROOT)), data.decode("utf-8")))
    assert found
    return found


def test_no_file_names_a_package_index_or_a_path_of_somebodys_machine() -> None:
    wrong = [
        f"{name}: {match[0]}"
        for name, text in texts()
        if name != "tests/project/test_tracked_files.py"
        for pattern in (INDEX, MACHINE)
        for match in pattern.finditer(text)
    ]
    assert wrong == []


def test_no_module_has_outgrown_one_thought() -> None:
    long = [name for name, text in texts() if name.endswith(".py") and text.count("\n") > MOST_LINES]
    assert long == []


def test_every_folder_of_code_is_a_package() -> None:
    folders = {
        path.parent for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES
    }
    missing = [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()]
    assert missing == []
