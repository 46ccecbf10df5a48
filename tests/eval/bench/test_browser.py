import pytest

from eval.bench.browser import NEEDED, browser, complaints, find_browser, requested, resize


@pytest.mark.skipif(find_browser() is None, reason=NEEDED)
def test_a_page_has_the_size_and_colours_that_were_asked_for_and_is_listened_to(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><script>console.error('oh')</script><img src='missing.png'>")
    with browser(500, 400, dark=True) as driver:
        driver.get(page.as_uri())
        sizes = "return [innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches]"
        assert driver.execute_script(sizes) == [500, 400, True]
        resize(driver, 300, 200)
        assert driver.execute_script(sizes) == [300, 200, True]
        assert any("oh" in said for said in complaints(driver))
        assert page.with_name("missing.png").as_uri() in requested(driver)
        assert complaints(driver) == requested(driver) == []


def test_where_there_is_none_that_is_said(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert find_browser() is None
    with pytest.raises(RuntimeError, match="chromium-driver"), browser():
        pass
