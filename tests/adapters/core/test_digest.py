from adapters.core.digest import SIZE, digest, ordered_digest


def test_a_digest_is_of_the_content_and_not_of_the_order_of_fields():
    assert digest({"a": 1, "b": [True, {"c": "é", "d": None}]}) == digest({"b": [True, {"d": None, "c": "é"}], "a": 1})
    assert len({digest(value) for value in ({"a": 1}, {"a": "1"}, {"a": [1]}, {"a": None}, {}, [], "a", 1.5)}) == 8
    assert digest([1, 2]) != digest([2, 1])
    assert len(digest({})) == SIZE


def test_a_tuple_is_digested_as_the_list_that_it_is_sent_as():
    assert digest({"a": (1, 2)}) == digest({"a": [1, 2]})


def test_the_quick_digest_tells_contents_apart_and_the_order_of_fields_too():
    assert ordered_digest({"a": 1, "b": [1.5]}) == ordered_digest({"a": 1, "b": [1.5]})
    assert ordered_digest({"a": 1, "b": 2}) != ordered_digest({"b": 2, "a": 1})
    assert len({ordered_digest(value) for value in ({"a": 1}, {"a": "1"}, {"a": None}, {}, [], "a", 1.5)}) == 7
    assert len(ordered_digest({})) == SIZE
