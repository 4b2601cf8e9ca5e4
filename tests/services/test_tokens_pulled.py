"""Driver tokens, as a hub pulls them (OCPI 2.2.1, mod_tokens, Sender interface)."""

from adapters.core.inbound import Window
from gateway.services.drivers import showing
from mappings.canonical.tokens import TokenType
from tests.harness import AT, WHO, later
from tests.services.driving import EMSP, NOW, OTHER_EMSP, UID, token

RFID = TokenType.RFID
TOKENS = [token(f"{number:02}", last_updated=later(number)) for number in range(7)]


async def pulled(emsp, *, connection="hub", **window):
    page = await emsp.drivers.tokens(emsp.connection(connection), Window(**({"offset": 0, "limit": 10} | window)))
    return [one.uid for one in page.objects], page.total


async def test_tokens_are_given_in_pages_blocked_ones_too(emsp):
    await emsp.put(*TOKENS[:-1], token("06", valid=False))
    pages = [await pulled(emsp, offset=offset, limit=3) for offset in (0, 3, 6, 9)]
    assert [uids for uids, _ in pages] == [["00", "01", "02"], ["03", "04", "05"], ["06"], []]
    assert {total for _, total in pages} == {7}
    assert await pulled(emsp, limit=0) == ([], 7)


async def test_pages_are_the_same_in_any_order(emsp):
    await emsp.put(*TOKENS)
    for offset in (6, 3, 0, 3, 6, 100):
        assert (await pulled(emsp, offset=offset, limit=3))[0] == [one.uid for one in TOKENS[offset : offset + 3]]


async def test_a_change_between_two_pages_moves_nothing_and_hides_nothing(emsp):
    await emsp.put(*TOKENS)
    first, _ = await pulled(emsp, limit=3)
    await emsp.put(token("05", issuer="Other"), token("00", issuer="Other"), token("07"))
    await emsp.tokens.withdraw(EMSP, RFID, "01", WHO)
    rest, total = await pulled(emsp, offset=3)
    assert (first, rest) == (["00", "01", "02"], ["03", "04", "05", "06", "07"])
    assert total == 7


async def test_dates_bound_what_is_given_the_first_included_and_the_last_not(emsp):
    await emsp.put(*TOKENS)
    assert await pulled(emsp, date_from=later(2), date_to=later(5)) == (["02", "03", "04"], 3)
    assert await pulled(emsp, date_from=later(2), date_to=later(5), offset=1, limit=1) == (["03"], 3)
    assert await pulled(emsp, date_from=later(2), date_to=later(5), offset=2, limit=9) == (["04"], 3)
    assert await pulled(emsp, date_to=AT) == ([], 0)
    assert await pulled(emsp, date_from=later(86_400)) == ([], 0)


async def test_withdrawn_tokens_are_given_with_dates_alone_and_are_not_valid(emsp):
    await emsp.put(*TOKENS[:2])
    await emsp.tokens.withdraw(EMSP, RFID, "00", WHO)
    assert await pulled(emsp) == (["01"], 1)
    assert await pulled(emsp, date_from=NOW) == (["00"], 1)
    page = await emsp.drivers.tokens(emsp.connection(), Window(0, 10, NOW))
    assert [one.valid for one in page.objects] == [False]


async def test_only_tokens_that_the_connection_carries_are_given(emsp):
    await emsp.connect("narrow", {"parties": [OTHER_EMSP.normal]})
    await emsp.put(token(), token("04FF", party=OTHER_EMSP))
    assert await pulled(emsp, connection="narrow") == (["04FF"], 1)
    narrow = emsp.connection("narrow")
    assert await emsp.drivers.token(narrow, EMSP, UID, RFID) is None
    assert (await emsp.drivers.token(narrow, OTHER_EMSP, "04ff", RFID)).uid == "04FF"


async def test_one_token_is_given_unless_it_was_withdrawn(emsp):
    await emsp.put(token(valid=False))
    hub = emsp.connection()
    assert (await emsp.drivers.token(hub, EMSP, UID.lower(), RFID)).valid is False
    assert await emsp.drivers.token(hub, EMSP, UID, TokenType.APP_USER) is None
    assert await emsp.drivers.token(hub, EMSP, "04FF", RFID) is None
    await emsp.tokens.withdraw(EMSP, RFID, UID, WHO)
    assert await emsp.drivers.token(hub, EMSP, UID, RFID) is None


async def test_very_many_tokens_are_counted_once_in_a_while_and_given_by_the_same_rules(emsp, monkeypatch):
    monkeypatch.setattr(showing, "_FEW", 3)
    await emsp.put(*TOKENS)
    assert await pulled(emsp, limit=4) == (["00", "01", "02", "03"], 7)
    await emsp.put(token("07"))
    assert await pulled(emsp, offset=4) == (["04", "05", "06", "07"], 7)
    assert await pulled(emsp, date_from=later(1), offset=2, limit=2) == (["03", "04"], 6)


async def test_pages_stay_right_when_many_ends_are_remembered_or_other_replicas_gave_some(emsp, monkeypatch):
    monkeypatch.setattr(showing, "_MOST_MARKS", 2)
    monkeypatch.setattr(showing, "_MOST_LISTS", 2)
    await emsp.put(*TOKENS)
    for offset in (0, 1, 2, 3, 4, 5, 6, 3, 0, 5):
        assert (await pulled(emsp, offset=offset, limit=1))[0] == [TOKENS[offset].uid]
    for since in (1, 2, 3):  # lists of their own
        for offset in (0, 2, 4):
            expected = [one.uid for one in TOKENS[since:][offset : offset + 2]]
            assert (await pulled(emsp, date_from=later(since), offset=offset, limit=2))[0] == expected
    assert (await pulled(emsp, offset=4, limit=2))[0] == ["04", "05"]


async def test_where_a_page_ended_is_forgotten_after_a_while(emsp):
    """A token that comes back moves all behind it, which whoever pulls anew must not overlook."""
    await emsp.put(*TOKENS)
    await emsp.tokens.withdraw(EMSP, RFID, "00", WHO)
    seconds = [0.0]
    shown = showing.Showing(emsp.store, lambda: seconds[0])

    async def page(offset):
        return [one.uid for one in (await shown.tokens(emsp.connection(), Window(offset, 3))).objects]

    assert [await page(0), await page(3)] == [["01", "02", "03"], ["04", "05", "06"]]
    await emsp.put(token("00"))
    seconds[0] = 601.0
    assert await page(3) == ["03", "04", "05"]
    assert [await page(0), await page(3)] == [["00", "01", "02"], ["03", "04", "05"]]
