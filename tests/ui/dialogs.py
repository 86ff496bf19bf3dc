"""Dialogs as somebody without a mouse, or without eyes, comes to them."""

from re import Pattern

from playwright.sync_api import Locator, Page, expect

from tests.ui.inspecting import look, look_into

HELD = """() => {
  const node = document.activeElement;
  return node.getAttribute('aria-label') ?? node.textContent.trim();
}"""


def open_with_enter(
    page: Page, opener: Locator, name: Pattern[str]
) -> Locator:
    """Open a dialog by what opens it; return it by its name."""
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=name)
    expect(dialog).to_be_visible()
    return dialog


def inspect_dialog(
    page: Page, opener: Locator, name: Pattern[str]
) -> list[str]:
    """Open a dialog, look and walk, put it away; return what is wrong."""
    opener.focus()
    held = page.evaluate(HELD)
    dialog = open_with_enter(page, opener, name)
    wrong = inspect_open(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    back = page.evaluate(HELD)
    if back != held:
        wrong.append(f"the focus went from {held!r} to {back!r}")
    return [f"{name.pattern}: {one}" for one in wrong]


def inspect_open(page: Page) -> list[str]:
    """Return what is wrong with the dialog that is open, in both lights."""
    wrong = look_into(page)
    page.emulate_media(color_scheme="light")
    wrong += look(page)
    page.emulate_media(color_scheme="dark")
    return sorted(set(wrong))


def tab_to(page: Page, wanted: Locator, most: int = 120) -> None:
    """Press Tab until something has the focus, as without a mouse."""
    expect(wanted).to_be_visible()
    expect(wanted).to_be_enabled()
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted.evaluate("(node) => node === document.activeElement"):
            return
    raise AssertionError(f"{most} times Tab do not lead to {wanted}")
