"""Somebody at the page chooses, undoes, comes back and is forgotten, in a real Chromium."""

import sqlite3

import pytest

from tests.factories.templated import liked
from tests.fsa.serve.page.visitor import api, until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("taste", "opposite"), [("long", "short"), ("quiet", "loud")], ids=["length", "loudness"]
)
def test_five_clicks_turn_the_top_answer_to_ones_taste_and_opposite_ones_to_the_opposite(
    visit, taste, opposite
):
    tops = []
    for wanted in (taste, opposite):
        person = visit()
        before = person.ranking()
        for _ in range(5):
            person.choose(lambda text, wanted=wanted: liked(text, wanted))
        assert person.text("count") == "5 choices so far"
        ranking = person.ranking()
        assert sorted(ranking) == sorted(before)
        # The upper half is her half: four of the eight candidates are of either style.
        cut = sorted(liked(text, wanted) for text in ranking)[4]
        assert liked(ranking[0], wanted) >= cut
        tops.append(ranking[0])
        shares = [int(share.removesuffix(" %")) for share in person.all_texts("#ranking .share")]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(100, abs=4)
    assert liked(tops[0], taste) > liked(tops[1], taste)


def test_two_people_in_two_windows_are_never_mixed(visit, port):
    ann, bob = visit(), visit()
    for _ in range(3):
        with ann:
            ann.choose(lambda text: liked(text, "long"))
        with bob:
            bob.choose(lambda text: liked(text, "short"))
    names, said = [], []
    for person, wanted in ((ann, "long"), (bob, "short")):
        with person:
            names.append(person.name)
            said.append(person.bars())
            held = api(port, f"/v1/people/{person.name}/choices")["choices"]
            assert len(held) == 3
            for each in held:
                record = each["record"]
                best = max(record["options"], key=lambda text, wanted=wanted: liked(text, wanted))
                assert liked(record["options"][record["chosen"]], wanted) == liked(best, wanted)
    assert names[0] != names[1]
    assert said[0] != said[1]


def test_undo_restores_the_belief_exactly_and_a_reload_keeps_it(visit, port):
    person = visit()
    for _ in range(2):
        person.choose(lambda text: liked(text, "loud"))
    belief = f"/v1/people/{person.name}/belief"
    before, bars, ranking = api(port, belief), person.bars(), person.ranking()
    person.choose(lambda text: liked(text, "quiet"))
    assert api(port, belief)["mean"] != before["mean"]
    assert person.bars() != bars
    person.click("undo")
    assert api(port, belief) == before
    assert (person.bars(), person.ranking()) == (bars, ranking)
    person.driver.refresh()
    person.wait()
    assert api(port, belief) == before
    assert (person.bars(), person.ranking()) == (bars, ranking)
    assert person.text("count") == "2 choices so far"


def test_neither_says_nothing_and_is_not_asked_again(visit, port):
    person = visit()
    belief = f"/v1/people/{person.name}/belief"
    before, asked = api(port, belief)["mean"], [[*sorted(person.options()), person.text("prompt")]]
    for _ in range(3):
        person.click("neither")
        asked.append([*sorted(person.options()), person.text("prompt")])
    assert api(port, belief)["mean"] == pytest.approx(before)
    assert len(set(map(tuple, asked))) == 4
    records = [each["record"] for each in api(port, f"/v1/people/{person.name}/choices")["choices"]]
    assert [record["chosen"] for record in records] == ["tie"] * 3


def test_forget_me_removes_the_person_from_the_database(visit, database):
    person = visit()
    name = person.name
    person.choose(lambda text: liked(text, "loud"))

    def rows() -> list[int]:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as people:
            return [
                people.execute(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?", (name,)).fetchone()[0]
                for table, column in (("person", "id"), ("choice", "person"))
            ]

    assert rows() == [1, 1]
    person.element("forget").click()
    person.element("forget-now").click()
    until(person.driver, lambda: person.text("gone-words"))
    assert rows() == [0, 0]
    assert person.text("gone-words") == "1 choice erased; this server holds nothing about you."
    assert name not in person.driver.page_source
    person.click("anew")
    assert person.name != name
    assert person.text("count") == "0 choices so far"
