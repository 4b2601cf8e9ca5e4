from mappings.report import Issue, IssueKind, Refused, Report, shorten


def test_issues_are_collected_in_order_with_their_texts_shortened() -> None:
    report = Report()
    report.add(IssueKind.MENDED, "evses[0].evse_id", "case", "x" * 300)
    report.add(IssueKind.UNKNOWN, "name", "empty")
    assert [issue.field for issue in report.issues] == ["evses[0].evse_id", "name"]
    assert report.issues[0].value == "x" * 99 + "…"
    assert report.issues[1].value is None


def test_a_refusal_carries_what_was_noted_before_it_and_names_its_field() -> None:
    report = Report()
    report.add(IssueKind.MENDED, "name", "case")
    error = report.refuse("coordinates", "not degrees", 91)
    assert isinstance(error, Refused)
    assert error.reason == Issue(IssueKind.REFUSED, "coordinates", "not degrees", "91")
    assert [issue.kind for issue in error.issues] == [IssueKind.MENDED, IssueKind.REFUSED]
    assert str(error) == "coordinates: not degrees"
    assert str(Refused("", "empty record")) == "empty record"


def test_a_refusal_does_not_change_with_later_issues() -> None:
    report = Report()
    error = report.refuse("id", "missing")
    report.add(IssueKind.LOST, "name", "later")
    assert len(error.issues) == 1
    assert len(report.issues) == 1


def test_values_are_shown_as_text_of_at_most_a_hundred_signs() -> None:
    assert shorten(None) is None
    assert shorten(7.36) == "7.36"
    assert shorten("a" * 100) == "a" * 100
    assert len(shorten("a" * 101) or "") == 100
