"""The demo as a visitor meets it: the real page in a real Chromium, before the real Menwei.

`MENWEI_SCREENSHOT=docs/screenshots/demo.png pytest tests/scenario/test_browser.py -k ticket` also
takes the picture for the README.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    async_playwright,
    expect,
)

from bot.demo import Demo
from tests.services import give_up

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PATIENCE = 15_000  # milliseconds a visitor would wait at the very most
NAMES = ("chromium", "chromium-browser", "google-chrome")
HOSTILE = "<img src=x onerror=alert(1)>"


@dataclass(slots=True)
class Visitor:
    """Somebody before the page, who looks for what they want to press by what it shows."""

    page: Page

    def phone(self, role: str) -> Locator:
        return self.page.locator(f'[data-phone="{role}"]')

    def step(self, key: str, state: str) -> Locator:
        return self.page.locator(f'[data-step="{key}"][data-state="{state}"]')

    def card(self, words: str) -> Locator:
        """Return a card on the supervisor's phone that can still be answered."""
        cards = self.phone("supervisor").locator(".card", has_text=words)
        return cards.filter(has=self.page.locator('[data-key$=":approve"]:enabled'))

    async def sees(self, what: Locator) -> None:
        await expect(what.last).to_be_visible(timeout=PATIENCE)

    async def hears(self, role: str, words: str) -> None:
        await self.sees(self.phone(role).locator(".message", has_text=words))

    async def writes(self, role: str, words: str) -> None:
        await self.phone(role).locator('[data-role="composer"]').fill(words)
        await self.phone(role).locator('[data-role="send"]').click()

    async def presses(self, card: Locator, choice: str) -> None:
        await card.last.get_by_role("button", name=choice, exact=True).click()

    async def does_it(self, step: str) -> None:
        await self.step(step, "now").locator('[data-role="do-it"]').click()

    async def opens_story(self, key: str) -> None:
        await self.page.locator(f'[data-story="{key}"]').click()

    async def adds_customer(self, name: str) -> Locator:
        """Add somebody without asking, in the seller's list of customers; return their row."""
        seller = self.phone("seller")
        await seller.locator('[data-role="contacts"]').click()
        await seller.locator("[data-stranger]", has_text=name).get_by_role("button").click()
        return seller.locator("[data-customer]", has_text=name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        give_up("Chromium", "there is none on the PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(browser: Browser, tmp_path: Path) -> AsyncIterator[Visitor]:
    wrong: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            wrong.append(message.text)

    def crash(error: Error) -> None:
        wrong.append(str(error))

    async with Demo(tmp_path).running() as address:
        page = await browser.new_page(
            viewport={"width": 1440, "height": 960}, locale="zh-CN", reduced_motion="reduce"
        )
        page.set_default_timeout(PATIENCE)
        page.on("console", note)
        page.on("pageerror", crash)
        await page.goto(address)
        yield Visitor(page)
        await page.close()
    assert wrong == []


async def picture(page: Page) -> None:
    """Take the picture for the README, if somebody has asked for it."""
    if path := os.environ.get("MENWEI_SCREENSHOT"):
        await page.screenshot(path=path)


async def test_a_trainee_asks_and_the_ticket_closes_when_the_customer_has_scanned(
    visitor: Visitor,
) -> None:
    await visitor.sees(visitor.step("1.1", "now"))
    await visitor.phone("seller").locator(".chip.hint").click()
    await visitor.phone("seller").locator('[data-role="send"]').click()

    await visitor.hears("seller", "正在等待 王芳 审批")
    await visitor.sees(visitor.card("张伟"))
    await visitor.sees(visitor.step("1.2", "now"))
    await picture(visitor.page)
    await visitor.presses(visitor.card("张伟"), "同意")

    await visitor.sees(visitor.phone("seller").get_by_alt_text("二维码"))
    await visitor.sees(visitor.step("1.3", "now"))
    await visitor.phone("customer").get_by_role("button", name="扫这个码").click()

    await visitor.hears("customer", "很高兴为您服务")
    await visitor.hears("seller", "通行码已失效")
    await visitor.sees(visitor.step("1.4", "done"))


async def test_a_vip_added_without_asking_is_marked_until_both_have_agreed(
    visitor: Visitor,
) -> None:
    await visitor.opens_story("2")
    row = await visitor.adds_customer("刘建国")

    await visitor.sees(row.get_by_text("待审批", exact=True))
    await visitor.presses(visitor.card("刘建国"), "同意")
    await visitor.sees(visitor.step("2.3", "now"))
    await visitor.sees(visitor.card("刘建国").filter(has_text="2/2"))
    await visitor.presses(visitor.card("刘建国"), "同意")

    await visitor.sees(visitor.step("2.4", "done"))
    await expect(row.locator(".tag")).to_have_count(0)
    await visitor.phone("seller").locator('[data-role="back"]').click()
    await visitor.hears("seller", "已由 李强 同意")


async def test_a_competitor_is_refused_and_the_case_closes_with_the_deletion(
    visitor: Visitor,
) -> None:
    await visitor.opens_story("3")
    row = await visitor.adds_customer("何晨")

    await visitor.sees(row.get_by_text("违规添加", exact=True))
    await visitor.sees(visitor.step("3.2", "now"))
    await row.locator('[data-role="delete"]').click()

    await visitor.sees(visitor.step("3.3", "done"))
    await visitor.phone("seller").locator('[data-role="back"]').click()
    await visitor.hears("seller", "已确认删除")
    await visitor.hears("supervisor", "已确认删除")


async def test_who_writes_english_is_answered_in_english(visitor: Visitor) -> None:
    await visitor.page.locator('[data-language="en"]').click()
    await visitor.sees(visitor.page.get_by_role("button", name="Start over"))

    await visitor.writes("seller", "add Lin Xue, Linx Design, 13900005678, met at the fair")

    await visitor.hears("seller", "add Lin Xue.")
    await visitor.writes("supervisor", "todo")
    await visitor.hears("supervisor", "Requests waiting for you: 1")


@pytest.mark.parametrize(
    ("story", "steps"), [("4", 4), ("5", 2), ("6", 3), ("7", 3), ("8", 4), ("9", 4)]
)
async def test_the_other_stories_play_to_their_end(
    visitor: Visitor, story: str, steps: int
) -> None:
    await visitor.opens_story(story)

    for number in range(1, steps + 1):
        await visitor.does_it(f"{story}.{number}")
        await visitor.sees(visitor.step(f"{story}.{number}", "done"))

    await expect(visitor.page.locator('[data-step][data-state="now"]')).to_have_count(
        0, timeout=PATIENCE
    )
    await picture(visitor.page)


async def test_what_the_admin_changes_in_the_console_is_told_on_their_phone(
    visitor: Visitor,
) -> None:
    await visitor.opens_story("10")
    admin = visitor.phone("admin")
    await admin.locator('[data-role="console"]').click()
    xiaomei = admin.locator('[data-member="zhouxiaomei"]')
    await xiaomei.locator('[data-role="move"]').select_option(label="大客户部")
    await visitor.sees(visitor.step("10.3", "now"))
    await admin.locator('[data-role="back"]').click()
    await visitor.hears("admin", "周小美 加入 大客户部、离开 销售部：成为 大客户经理")
    await visitor.does_it("10.3")
    await visitor.hears("seller", "可以添加 张伟")

    await admin.locator('[data-role="console"]').click()
    await xiaomei.get_by_role("button", name="试用期").click()
    await admin.locator('[data-role="contact"][data-for="sunlei"]').click()
    await visitor.sees(
        admin.locator('[data-role="contact"][data-for="sunlei"][aria-pressed="false"]')
    )
    await admin.locator('[data-role="disable"][data-for="wangfang"]').click()
    await visitor.sees(admin.locator('[data-member="wangfang"][data-state="disabled"]'))
    await admin.locator('[data-role="back"]').click()

    await visitor.hears("admin", "孙磊 不能再使用客户联系，而规则允许其添加客户")
    await visitor.hears("admin", "周小美 去掉标签 试用期")
    await visitor.hears("admin", "王芳 被停用")
    await visitor.sees(visitor.step("10.4", "done"))
    await picture(visitor.page)


async def test_a_refusal_takes_the_visitor_off_the_story_and_the_page_says_so(
    visitor: Visitor,
) -> None:
    await visitor.does_it("1.1")
    await visitor.card("张伟").last.locator("select").select_option(label="资料不全")
    await visitor.presses(visitor.card("张伟"), "拒绝")

    await visitor.hears("seller", "已被 王芳 拒绝。原因：资料不全")
    await visitor.sees(visitor.step("1.2", "now").get_by_text("您选了另一条路"))


async def test_a_name_that_looks_like_markup_stays_text_on_every_phone(visitor: Visitor) -> None:
    customer = visitor.phone("customer")
    await customer.locator('[data-tab="new"]').click()
    await customer.locator('[data-field="name"]').fill(HOSTILE)
    await customer.locator('[data-role="create"]').click()
    row = await visitor.adds_customer(HOSTILE)
    await visitor.sees(row)
    await visitor.sees(visitor.card("img src"))
    await visitor.phone("seller").locator('[data-role="back"]').click()
    await visitor.writes("seller", "加 张伟 <i>明达</i> 13800001234 展会认识")
    await visitor.hears("seller", "<i>明达</i>")
    await visitor.sees(visitor.card("明达"))

    assert await visitor.page.locator('img[src="x"], [onerror], .message i').count() == 0


async def test_after_starting_over_the_story_can_be_played_again(visitor: Visitor) -> None:
    for _ in range(2):
        for step in ("1.1", "1.2", "1.3"):
            await visitor.does_it(step)
        await visitor.sees(visitor.step("1.4", "done"))
        await visitor.page.locator('[data-role="restart"]').click()
        await visitor.sees(visitor.step("1.1", "now"))
        await expect(visitor.phone("seller").locator(".message")).to_have_count(0)

    await visitor.hears("admin", "门卫已启用")


async def test_a_story_whose_actor_has_left_says_so_and_starting_over_keeps_to_it(
    visitor: Visitor,
) -> None:
    await visitor.opens_story("8")
    await visitor.does_it("8.1")
    await visitor.sees(visitor.step("8.1", "done"))
    await visitor.does_it("8.2")
    await visitor.sees(visitor.step("8.2", "done"))

    await visitor.opens_story("9")

    await visitor.sees(visitor.step("9.1", "now").get_by_text("您选了另一条路"))
    await visitor.page.locator('[data-role="restart"]').click()
    await visitor.does_it("9.1")
    await visitor.sees(visitor.step("9.1", "done"))
    await visitor.page.reload()
    await visitor.sees(visitor.step("9.1", "done"))
