"""The report and the viewer in a real browser: no error, search, filters, keys, and a hostile episode stays text.

The browser is the machine's Chromium or Chrome; nothing is downloaded. Where there is none the tests fail and say so.
"""

from __future__ import annotations

import os
import shutil
import threading

import pytest
from playwright.sync_api import expect, sync_playwright

from acgym.report.page import write_report
from acgym.report.view import serve
from tests.helpers.report_runs import HOSTILE, OTHER, finish, write_run

pytestmark = pytest.mark.slow

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="module")
def browser():
    found = os.environ.get("ACGYM_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail("these tests need Chromium: 'apt-get install chromium', or its path in ACGYM_BROWSER")
    with sync_playwright() as play:
        own = play.chromium.launch(executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield own
        own.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    run = write_run(tmp_path_factory.mktemp("made") / "run", words=HOSTILE)
    write_report(finish(run), run.path / "report.html", run)
    return run.path / "report.html"


@pytest.fixture
def opened(browser, report):
    """A page that has loaded the report; what it says on its console is an error."""
    said = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(report.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    yield page
    assert said == []
    assert page.evaluate("window.hacked") is None
    context.close()


def seeds(page):
    return [text.split("seed ")[1].split("\n")[0] for text in page.locator("#list button").all_inner_texts()]


def test_search_finds_words_of_a_conversation(opened):
    assert opened.locator("#count").inner_text() == "12 of 12"
    opened.fill("#search", "NEEDLE in words")
    expect(opened.locator("#count")).to_have_text("1 of 12")
    assert seeds(opened) == ["3"]
    assert "needle in words" in opened.locator("#shown").inner_text()
    opened.fill("#search", "nothing is like this")
    expect(opened.locator("#count")).to_have_text("0 of 12")
    assert "No episode is like this." in opened.locator("#list").inner_text()


@pytest.mark.parametrize(
    ("outcome", "count"),
    [("lost", 4), ("won", 1), ("format", 1), ("differ", 6), ("words", 1), ("same", 4), ("failed", 1), ("", 12)],
)
def test_filter_by_outcome(outcome, count, opened):
    opened.select_option("#outcome", outcome)
    assert opened.locator("#count").inner_text() == f"{count} of 12"
    assert len(seeds(opened)) == count


def test_filters_go_together(opened):
    opened.select_option("#env", "0")
    opened.select_option("#outcome", "lost")
    assert seeds(opened) == ["3"]
    opened.select_option("#class", label="format")
    assert seeds(opened) == ["3"]
    opened.select_option("#class", label="loop")
    assert seeds(opened) == []


def test_keys(opened):
    def current():
        return opened.locator("#list [aria-current]").inner_text()

    first = current()
    opened.keyboard.press("j")
    second = current()
    opened.keyboard.press("k")
    assert (current(), second) == (first, opened.locator("#list button").nth(1).inner_text())
    opened.keyboard.press("k")
    assert current() == first
    opened.keyboard.press("/")
    assert opened.evaluate("document.activeElement.id") == "search"
    opened.keyboard.type("jk")
    assert opened.input_value("#search") == "jk"
    opened.keyboard.press("Escape")
    assert opened.evaluate("document.activeElement.id") != "search"


def test_an_episode_has_an_address_of_its_own(opened):
    opened.locator("#list button").nth(4).click()
    address, title = opened.evaluate("location.hash"), opened.locator("#shown h3").inner_text()
    assert address.startswith("#episode/")
    opened.select_option("#outcome", "won")
    opened.evaluate("location.hash = ''")
    opened.evaluate(f"location.hash = {address!r}")
    expect(opened.locator("#shown h3")).to_have_text(title)
    assert opened.locator("#count").inner_text() == "12 of 12"
    for nonsense in ("#episode/x/y/z", "#episode/%", "#episode", "#episode////"):
        opened.evaluate(f"location.hash = {nonsense!r}")
    expect(opened.locator("#shown h3")).to_have_text(title)


def test_a_cell_of_success_leads_to_its_episodes(opened):
    cell = opened.locator("#capabilities tbody tr").nth(1).locator("td").nth(2)
    cell.click()
    assert opened.locator("#agent").evaluate("e => e.selectedOptions[0].text") != "any agent"
    assert opened.locator("#env").evaluate("e => e.selectedOptions[0].text") == "ACB/Needle-v0"


def test_a_click_on_a_head_sorts_a_table_by_value(opened):
    table = opened.locator("#capabilities table")
    head = table.locator("th").nth(2)

    def column():
        return [float(text.split()[0]) for text in table.locator("tbody td:nth-child(3)").all_inner_texts()]

    head.click()
    falling = column()
    assert head.get_attribute("aria-sort") == "descending"
    assert falling == sorted(falling, reverse=True)
    head.click()
    assert column() == sorted(falling)


def test_first_difference_is_marked(opened):
    opened.select_option("#env", "0")
    opened.select_option("#outcome", "lost")
    block = opened.locator(".turn.first")
    assert block.count() == 1
    assert "turn 2: here they first differ" in block.inner_text()
    assert block.locator("mark").all_inner_texts() == ["b", "needle in words"]


def test_hostile_words_stay_text(opened):
    opened.select_option("#env", "0")
    shown = opened.locator("#shown").inner_text()
    assert "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=2>" in shown
    assert r"\x1b[31mred\x07\u202egnp.exe\ufeff&amp;" in shown
    assert opened.locator("img, iframe, object, embed").count() == 0
    assert opened.locator("script").count() == 2


def test_policy_stops_what_is_not_ours(browser, report):
    page = browser.new_page()
    page.goto(report.as_uri())
    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 4'; document.body.append(s);"
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked = 5\">')"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    page.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(width, opened):
    opened.set_viewport_size({"width": width, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_a_head_is_broken_where_it_says_and_names_of_signals_not_at_all(opened):
    """A name in the first column goes over two lines only where it takes more than two fifths of a narrow screen."""
    lines = """(e) => {const range = document.createRange(); range.selectNodeContents(e);
        return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size}"""
    for width in (390, 1280):
        opened.set_viewport_size({"width": width, "height": 800})
        for head in opened.locator("th").all():
            assert head.evaluate(lines) == head.evaluate("(e) => e.textContent").count("\n") + 1
        for name in opened.locator("#prediction td:first-child span").all():
            assert name.evaluate(lines) == 1


@pytest.mark.parametrize(("width", "shown"), [(390, True), (1280, False)])
def test_on_a_phone_each_reply_says_whose_it_is(width, shown, opened):
    opened.set_viewport_size({"width": width, "height": 800})
    said = [side.evaluate("(e) => getComputedStyle(e, '::before').content") for side in opened.locator(".side").all()]
    assert said
    if not shown:
        assert set(said) == {"none"}
    else:
        names = opened.locator(".sides .who").all_inner_texts()
        assert [name.split(": ")[0] for name in names] == [one.strip('"') for one in said[:2]]


def test_dark_mode_turns_figures_and_text_light(browser, report):
    colours = {}
    for scheme in ("light", "dark"):
        page = browser.new_context(color_scheme=scheme).new_page()
        page.goto(report.as_uri())
        read = "e => getComputedStyle(e).fill"
        colours[scheme] = (
            page.locator("#size svg text").first.evaluate(read),
            page.evaluate("getComputedStyle(document.body).backgroundColor"),
        )
        page.context.close()
    assert colours == {
        "light": ("rgb(27, 27, 27)", "rgb(255, 255, 255)"),
        "dark": ("rgb(232, 232, 232)", "rgb(22, 22, 22)"),
    }


def test_paper_shows_the_episode_without_the_controls(opened):
    opened.emulate_media(media="print")
    assert not opened.locator("#filters").is_visible()
    assert not opened.locator("#list").is_visible()
    assert opened.locator("#shown").is_visible()
    assert opened.locator("#size svg").is_visible()


def test_page_without_its_script_has_its_tables(browser, report):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(report.as_uri())
    assert page.locator("#capabilities table").is_visible()
    assert not page.locator("#filters").is_visible()
    assert page.locator("noscript").inner_text() == "- the episodes need JavaScript."
    page.context.close()


def test_viewer_follows_a_run(browser, tmp_path):
    run = write_run(tmp_path / "run")
    file = run.folder(OTHER) / "episodes.jsonl"
    content = file.read_bytes()
    file.write_bytes(b"".join(content.splitlines(keepends=True)[:3]))
    server = serve(run.path)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        said = []
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        page.wait_for_selector("html[data-ready]", state="attached")
        assert page.locator("#summary").inner_text() == "15 of 24 episodes are played."
        inside = page.frame_locator("#report")
        inside.locator(".notice").wait_for()
        file.write_bytes(content)
        page.locator("#load").click(timeout=20_000)
        inside.locator("#count").wait_for()
        assert page.locator("#summary").inner_text() == "24 of 24 episodes are played: all."
        assert said == []
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
