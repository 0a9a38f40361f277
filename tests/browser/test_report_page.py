"""The report in a real browser, from disk, with the network off: what an analyst sees and does."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from ..slow import one_in
from .conftest import SCREENSHOTS, Watched

WIDTHS = (360, 768, 1440)


def opened(browser: Browser, report: Path, width: int = 1440, **options: Any) -> Watched:
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **options)
    watched = Watched(context.new_page())
    watched.page.goto(report.as_uri())
    return watched


@pytest.fixture
def seen(browser: Browser, report: Path) -> Iterator[Watched]:
    watched = opened(browser, report)
    yield watched
    watched.page.context.close()


@pytest.mark.parametrize(("scheme", "width"), one_in(2, product(["light", "dark"], WIDTHS)))
def test_it_opens_without_a_complaint_or_a_request_and_fits_the_screen(
    browser: Browser, report: Path, scheme: str, width: int
) -> None:
    seen = opened(browser, report, width, color_scheme=scheme)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    seen.page.screenshot(path=SCREENSHOTS / f"report-{width}-{scheme}.png", full_page=True)
    assert seen.complaints == []
    assert seen.requests == [report.as_uri()]
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    seen.page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_chart_is_drawn_once_and_says_what_it_shows(browser: Browser, report: Path, width: int) -> None:
    seen = opened(browser, report, width)
    figures = seen.page.locator("figure:has(svg)")
    assert figures.count() >= 4
    for number in range(figures.count()):
        drawn = figures.nth(number).locator("svg[role=img]:visible")
        assert drawn.count() == 1
        assert drawn.get_attribute("aria-label")
        box = drawn.bounding_box()
        assert box is not None
        assert box["width"] > 100
        assert box["height"] > 50
        assert drawn.locator("path, line, circle, rect").count() > 3
    seen.page.context.close()


@pytest.mark.parametrize(("width", "scheme"), one_in(2, [(360, "dark"), (1440, "light")]))
def test_it_is_accessible(browser: Browser, report: Path, width: int, scheme: str) -> None:
    seen = opened(browser, report, width, color_scheme=scheme)
    for folded in seen.page.locator("details").all():
        folded.evaluate("node => { node.open = true; }")
    found = Axe().run(seen.page).response["violations"]
    assert [(each["id"], each["impact"], each["nodes"][0]["html"][:200]) for each in found] == []
    seen.page.context.close()


def test_a_table_is_sorted_by_the_column_that_is_clicked_and_back(seen: Watched) -> None:
    table = seen.page.locator("#share table.sortable")
    mentions = table.get_by_role("button", name="mentions")

    def column() -> list[int]:
        heads = table.locator("thead th").all_inner_texts()
        number = next(place for place, head in enumerate(heads) if head.strip().lower() == "mentions")
        cells = table.locator(f"tbody tr > :nth-child({number + 1})").all_inner_texts()
        return [int(cell.replace(",", "")) for cell in cells]

    mentions.click()
    falling = column()
    assert falling == sorted(falling, reverse=True)
    mentions.press("Enter")  # the keyboard does the same
    assert column() == sorted(falling)
    assert table.locator("th[aria-sort=ascending]").inner_text().strip().lower() == "mentions"


def test_quotes_are_filtered_by_brand_aspect_kind_and_words(seen: Watched) -> None:
    page = seen.page
    shown = page.locator("#quotes li:not([hidden])")
    everything = shown.count()
    page.select_option("#filter-brand", "samsung")
    page.select_option("#filter-aspect", "battery")
    page.select_option("#filter-picked", "negative")
    assert 0 < shown.count() < everything
    assert page.locator("#quotes .of-brand:visible").count() == 1
    assert page.locator("#filter-count").inner_text() == f"{shown.count()} of {everything} quotes"
    page.fill("#filter-text", "there is no such word")
    assert shown.count() == 0
    page.click("#filter-reset")
    page.wait_for_function("document.querySelectorAll('#quotes li:not([hidden])').length === " + str(everything))


def test_a_cell_of_the_matrix_leads_to_its_quotes(seen: Watched) -> None:
    page = seen.page
    cell = page.locator("#aspects a[data-brand=samsung][data-aspect=battery]")
    cell.focus()
    cell.press("Enter")
    visible = page.locator("#quotes li:visible")
    assert visible.count() > 0
    assert page.locator("#quotes--quotes, #quotes-samsung--battery").first.is_visible()
    assert page.locator("#quotes .of-brand:visible").count() == 1


def test_without_scripts_everything_is_there(browser: Browser, report: Path) -> None:
    seen = opened(browser, report, java_script_enabled=False)
    page = seen.page
    assert page.locator("#quotes li").count() > 50
    assert page.locator("#filters").is_hidden()
    assert page.locator("#share table tbody tr").count() == 6
    page.locator("#aspects a[data-brand=samsung][data-aspect=battery]").click()
    assert page.url.endswith("#quotes-samsung--battery")
    page.context.close()


def test_it_prints_on_paper_with_nothing_folded(browser: Browser, report: Path) -> None:
    seen = opened(browser, report)
    page = seen.page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("#filters").is_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.context.close()


def test_the_marked_day_is_the_planted_one(seen: Watched) -> None:
    marked = seen.page.locator("#marked").inner_text()
    assert "Samsung" in marked
    assert "battery" in marked
    assert "13 January 2026" in marked


def test_every_link_leads_into_the_page_or_to_reddit_and_tells_nothing_of_where_one_came_from(seen: Watched) -> None:
    links = seen.page.locator("a").all()
    assert len(links) > 50
    for link in links:
        target = link.get_attribute("href") or ""
        if target.startswith("#"):
            assert seen.page.locator(f'[id="{target[1:]}"]').count() == 1
        else:
            assert target.startswith("https://www.reddit.com/r/")
            assert link.get_attribute("rel") == "noopener noreferrer"


def test_what_is_injected_into_the_page_is_not_run(browser: Browser, report: Path, tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled.html"
    injected = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"
    spoiled.write_text(report.read_text().replace("</main>", f"{injected}</main>"))
    seen = opened(browser, spoiled)
    assert seen.page.title() != "run"
    assert any("Content Security Policy" in complaint for complaint in seen.complaints)
    seen.page.context.close()
