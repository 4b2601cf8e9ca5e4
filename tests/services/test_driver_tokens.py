"""Driver tokens: written whole, the same in any case, blocked all at once, and projected to every hub."""

import pytest

from gateway.services.ports import BadCursor, Conflict, NotFound
from gateway.services.ports.driver_tokens import DriverTokenFilter, Whose
from mappings.canonical.ids import ContractId
from mappings.canonical.parties import Role
from mappings.canonical.tokens import TokenType
from mappings.report import Issue, IssueKind
from tests.harness import AT, WHO, later
from tests.services.driving import CONTRACT, EMSP, NOW, OTHER_EMSP, UID, token

RFID = TokenType.RFID
KEY = f"FR*EMS/RFID/{UID}"


async def outcomes(emsp, *tokens):
    return [result.outcome for result in await emsp.put(*tokens)]


async def test_the_same_token_again_is_unchanged_and_told_to_nobody(emsp):
    assert await outcomes(emsp, token()) == ["created"]
    assert await outcomes(emsp, token()) == ["unchanged"]
    assert await emsp.projections() == {KEY: (False, True, 1)}
    assert await outcomes(emsp, token(issuer="Other")) == ["updated"]
    assert await emsp.projections() == {KEY: (False, True, 2)}
    stored = await emsp.tokens.get(EMSP, RFID, UID)
    assert (stored.revision, stored.token.issuer) == (2, "Other")


async def test_a_uid_that_differs_by_case_only_is_the_same_token_and_keeps_its_spelling(emsp):
    await emsp.put(token())
    assert await outcomes(emsp, token(UID.lower())) == ["unchanged"]
    assert await outcomes(emsp, token(UID.lower(), issuer="Other")) == ["updated"]
    stored = await emsp.tokens.get(EMSP, RFID, UID.lower())
    assert (stored.token.uid, stored.token.issuer) == (UID, "Other")
    assert await emsp.projections() == {KEY: (False, True, 2)}


async def test_of_a_token_named_twice_in_a_batch_the_last_stands(emsp):
    results = await emsp.put(token(issuer="first"), token(UID.lower(), issuer="last"))
    assert [result.outcome for result in results] == ["created", "created"]
    assert (await emsp.tokens.get(EMSP, RFID, UID)).token.issuer == "last"


async def test_a_token_is_written_over_the_expected_revision_only(emsp):
    await emsp.put(token())
    with pytest.raises(Conflict):
        await emsp.tokens.put([(token(issuer="Other"), ())], WHO, if_revision=2)
    await emsp.tokens.put([(token(issuer="Other"), ())], WHO, if_revision=1)
    with pytest.raises(Conflict):
        await emsp.tokens.put([(token("04FF"), ())], WHO, if_revision=1)


async def test_a_change_has_a_later_stamp_than_what_it_changes(emsp):
    await emsp.put(token())
    assert (await emsp.tokens.get(EMSP, RFID, UID)).token.last_updated == AT
    await emsp.put(token(issuer="Other"))
    assert (await emsp.tokens.get(EMSP, RFID, UID)).token.last_updated == NOW
    await emsp.put(token(issuer="Third", last_updated=later(3660)))
    assert (await emsp.tokens.get(EMSP, RFID, UID)).token.last_updated == later(3660)


async def test_a_stamp_far_ahead_of_the_clock_is_replaced(emsp):
    [result] = await emsp.put(token(last_updated=later(86_400)))
    assert [issue.field for issue in result.issues] == ["last_updated"]
    assert (await emsp.tokens.get(EMSP, RFID, UID)).token.last_updated == NOW


async def test_a_contract_with_a_wrong_check_digit_is_noticed(emsp):
    right = ContractId(CONTRACT).expected_check_digit
    wrong = f"{CONTRACT}-{'A' if right != 'A' else 'B'}"
    [result] = await emsp.put(token(contract_id=wrong))
    [issue] = result.issues
    assert (issue.kind, issue.field) == (IssueKind.SUSPECT, "contract_id")
    assert right in issue.detail
    assert (await emsp.put(token("04FF", contract_id=f"{CONTRACT}-{right}")))[0].issues == ()
    [shown] = await emsp.tokens.issues(EMSP, RFID, UID)
    assert shown.issue == issue


async def test_issues_given_in_are_given_back(emsp):
    given = Issue(IssueKind.LOST, "x", "y", None)
    [result] = await emsp.tokens.put([(token(), (given,))], WHO)
    assert result.issues == (given,)


async def test_a_withdrawn_token_is_gone_at_every_hub_and_comes_back(emsp):
    await emsp.connect("other")
    await emsp.put(token())
    assert await emsp.tokens.withdraw(EMSP, RFID, UID.lower(), WHO)
    assert not await emsp.tokens.withdraw(EMSP, RFID, UID, WHO)
    assert not await emsp.tokens.withdraw(OTHER_EMSP, RFID, UID, WHO)
    stored = await emsp.tokens.get(EMSP, RFID, UID)
    assert (stored.withdrawn, stored.token.valid, stored.revision) == (True, False, 2)
    for name in ("hub", "other"):
        assert await emsp.projections(name) == {KEY: (True, True, 2)}
    assert await outcomes(emsp, token()) == ["updated"]
    assert await emsp.projections() == {KEY: (False, True, 3)}


async def test_every_token_of_a_driver_is_blocked_at_once_and_pushed(emsp):
    tokens = [token(f"04{number:06X}", driver="d-1") for number in range(5)]
    await emsp.put(*tokens, token("04FF", driver="d-2"))
    switched = await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
    assert (switched.tokens, switched.changed) == (5, 5)
    wanted = {key.rsplit("/")[-1]: wanted for key, (_, _, wanted) in (await emsp.projections()).items()}
    assert wanted == {one.uid: 2 for one in tokens} | {"04FF": 1}
    stamps = {(await emsp.tokens.get(EMSP, RFID, one.uid)).token.last_updated for one in tokens}
    assert stamps == {NOW}
    again = await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
    assert (again.tokens, again.changed) == (5, 0)
    [audit] = [row for row in await emsp.rows("audit") if row["action"] == "blocked"][:1]
    assert (audit["who"], audit["subject"]) == (WHO, "FR*EMS driver d-1")


async def test_a_contract_is_blocked_and_unblocked_with_every_token(emsp):
    await emsp.put(token("a"), token("b", type="APP_USER"), token("c", contract_id="FR-EMS-C99999999"))
    whose = Whose(EMSP, contract=ContractId("FREMSC12345678"))
    assert (await emsp.tokens.switch(whose, WHO, valid=False)).changed == 2
    page = await emsp.tokens.list(DriverTokenFilter(), None, 10)
    assert {one.token.uid: one.token.valid for one in page.items} == {"a": False, "b": False, "c": True}
    assert (await emsp.tokens.switch(whose, WHO, valid=True)).changed == 2


async def test_another_emsp_s_driver_of_the_same_name_is_not_blocked(emsp):
    await emsp.put(token(driver="d-1"), token(party=OTHER_EMSP, driver="d-1"))
    await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
    assert (await emsp.tokens.get(OTHER_EMSP, RFID, UID)).token.valid
    with pytest.raises(NotFound):
        await emsp.tokens.switch(Whose(EMSP, driver="nobody"), WHO, valid=False)


async def test_what_was_blocked_and_is_written_again_as_before_is_valid_again(emsp):
    await emsp.put(token(driver="d-1"))
    await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
    assert await outcomes(emsp, token(driver="d-1")) == ["updated"]
    assert (await emsp.tokens.get(EMSP, RFID, UID)).token.valid


async def test_a_hub_without_a_word_for_blocked_loses_the_token(emsp):
    await emsp.connect("speechless", says_blocked=False)
    await emsp.put(token(driver="d-1"), token("04FF", valid=False))
    assert await emsp.projections("speechless") == {KEY: (False, True, 1)}
    await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
    assert await emsp.projections("speechless") == {KEY: (True, True, 2)}
    assert (await emsp.projections("hub"))[KEY] == (False, True, 2)


async def test_only_hubs_in_whose_scope_the_emsp_is_are_told(emsp):
    await emsp.connect("narrow", {"parties": [OTHER_EMSP.normal]})
    await emsp.connect("cpo", roles=(Role.CPO,))
    await emsp.put(token(), token(party=OTHER_EMSP))
    assert set(await emsp.projections("narrow")) == {f"DE*EMS/RFID/{UID}"}
    assert set(await emsp.projections("cpo")) == set()
    assert len(await emsp.projections("hub")) == 2


async def test_tokens_are_listed_by_party_driver_contract_and_uid(emsp):
    await emsp.put(
        token("a", driver="d-1"),
        token("b", driver="d-1", contract_id="FR-EMS-C99999999"),
        token("a", party=OTHER_EMSP, driver="d-2"),
        token("c"),
    )

    async def listed(**wanted):
        page = await emsp.tokens.list(DriverTokenFilter(**wanted), None, 10)
        return [f"{one.token.party}/{one.token.uid}" for one in page.items]

    assert await listed() == ["DE*EMS/a", "FR*EMS/a", "FR*EMS/b", "FR*EMS/c"]
    assert await listed(parties=frozenset({EMSP})) == ["FR*EMS/a", "FR*EMS/b", "FR*EMS/c"]
    assert await listed(driver="d-1") == ["FR*EMS/a", "FR*EMS/b"]
    assert await listed(driver="d-1", contract=ContractId(CONTRACT)) == ["FR*EMS/a"]
    assert await listed(contract=ContractId(CONTRACT)) == ["DE*EMS/a", "FR*EMS/a", "FR*EMS/c"]
    assert await listed(uid="A") == ["DE*EMS/a", "FR*EMS/a"]
    assert await listed(uid="A", parties=frozenset({EMSP})) == ["FR*EMS/a"]
    assert await listed(uid="A", driver="d-2") == ["DE*EMS/a"]


async def test_a_list_goes_on_where_its_page_ended(emsp):
    await emsp.put(*(token(f"{number:02}", driver="d-1") for number in range(5)))
    for wanted in (DriverTokenFilter(), DriverTokenFilter(driver="d-1")):
        seen, after = [], None
        while True:
            page = await emsp.tokens.list(wanted, after, 2)
            seen += [one.token.uid for one in page.items]
            if (after := page.next) is None:
                break
        assert seen == ["00", "01", "02", "03", "04"]
    with pytest.raises(BadCursor):
        await emsp.tokens.list(DriverTokenFilter(), "nonsense", 2)
