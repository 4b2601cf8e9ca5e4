"""What comes home with stamps of another age."""

import pytest

from adapters.core.inbound import CdrTaken
from gateway.services.ports.received import CdrStanding
from gateway.store.pool import Store
from tests.services.homecoming import END, cdr, home


@pytest.mark.parametrize("changes", [{"year": 1, "month": 1, "day": 1}, {"year": 9999, "month": 12, "day": 31}])
async def test_a_cdr_of_another_age_is_taken_and_held(store: Store, changes: dict[str, int]) -> None:
    async with home(store) as made:
        await made.permit("p-1")
        when = END.replace(**changes, hour=12)  # type: ignore[arg-type]  # no tzinfo among them
        assert await made.bill(cdr(start=when, end=when)) == [CdrTaken.NEW]
        [view] = await made.cdrs()
        assert view.standing is not CdrStanding.ACCEPTED
