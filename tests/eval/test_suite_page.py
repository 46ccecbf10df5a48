from eval.suite.page import write
from eval.suite_page import page
from tests.factories.finished_suite import write as finished

FLAT = dict.fromkeys((0, 3, 10), (0.5, 0.5))


def test_the_page_is_written_again_from_what_is_there(tmp_path):
    finished(tmp_path / "out", {"easy": {"NP-BTL": FLAT, "pooled": FLAT}}, seeds=1)
    write(tmp_path / "out", tmp_path / "results.md")
    first = (tmp_path / "results.md").read_text()
    (tmp_path / "results.md").unlink()
    page(str(tmp_path / "out"), str(tmp_path / "results.md"))
    assert (tmp_path / "results.md").read_text() == first
