"""Looking at a page as somebody who cannot see it well, or at all."""

from typing import Any

from playwright.sync_api import Page

# Returned as words for people: each is something to mend.
LOOK = r"""() => {
  const wrong = [];
  const seen = (node) => node.checkVisibility({ opacityProperty: true,
    visibilityProperty: true }) && node.getClientRects().length > 0;
  const say = (node, what) => wrong.push(`${what}: ${
    node.outerHTML.slice(0, 120)}`);

  // Whatever can be used has a name.
  const nameOf = (node) => {
    const ids = (node.getAttribute('aria-labelledby') ?? '').split(' ');
    const texts = ids.map((id) =>
      document.getElementById(id)?.textContent ?? '');
    return [node.getAttribute('aria-label'), ...texts, node.textContent,
      node.title, node.value, node.placeholder, node.alt,
      ...[...(node.labels ?? [])].map((one) => one.textContent)]
      .filter(Boolean).join(' ').trim();
  };
  const used = 'button, a[href], select, textarea, [role=button],'
    + ' [role=listbox], [role=combobox], dialog, summary, canvas,'
    + ' input:not([type=hidden])';
  for (const node of document.querySelectorAll(used)) {
    if (!seen(node) || node.closest('[aria-hidden=true]')) continue;
    const isField = node.matches('input, select, textarea');
    const name = isField
      ? [...(node.labels ?? [])].map((one) => one.textContent).join('')
        || node.getAttribute('aria-label')
        || document.getElementById(node.getAttribute('aria-labelledby'))
      : nameOf(node);
    if (!name) say(node, 'has no name');
  }

  // An id is there once.
  const ids = new Map();
  for (const node of document.querySelectorAll('[id]')) {
    if (ids.has(node.id)) say(node, 'has the id of another');
    ids.set(node.id, node);
  }

  // Headings follow each other; there is one first of them.
  const heads = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
    .filter(seen);
  let last = 0;
  for (const node of heads) {
    const level = Number(node.tagName[1]);
    if (level > last + 1) say(node, `heading after one of level ${last}`);
    last = level;
  }
  if (document.querySelectorAll('main').length !== 1) {
    wrong.push('there is not one main');
  }
  if (heads.filter((one) => one.tagName === 'H1').length !== 1) {
    wrong.push('there is not one first heading');
  }

  // Roles that need others.
  for (const node of document.querySelectorAll('[role=option]')) {
    if (!node.closest('[role=listbox]')) say(node, 'option without a list');
  }
  for (const node of document.querySelectorAll('[tabindex]')) {
    if (Number(node.getAttribute('tabindex')) > 0) {
      say(node, 'has an order of its own');
    }
  }
  for (const node of document.querySelectorAll('th')) {
    if (seen(node) && !node.textContent.trim()) say(node, 'empty heading');
  }

  // Texts can be read: contrast of 4.5, of 3 for what is large.
  const parse = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), a: parts[3] ?? 1 };
  };
  const over = (top, under) => top.rgb.map((one, index) =>
    one * top.a + under[index] * (1 - top.a));
  const ground = (node) => {
    const chain = [];
    for (let one = node; one; one = one.parentElement) {
      chain.push(parse(getComputedStyle(one).backgroundColor));
      if (chain.at(-1).a === 1) break;
    }
    return chain.reverse().reduce((under, top) => over(top, under),
      [255, 255, 255]);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((one) => one / 255).map((one) =>
      (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const walker = document.createTreeWalker(document.body,
    NodeFilter.SHOW_TEXT);
  const done = new Set();
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const isText = walker.currentNode.textContent.trim();
    if (!isText || done.has(node) || !seen(node)
        || node.closest('script, style, noscript, :disabled')) continue;
    done.add(node);
    const style = getComputedStyle(node);
    const under = ground(node);
    const ink = over(parse(style.color), under);
    const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.6 && style.fontWeight >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) {
      say(node, `contrast ${ratio.toFixed(2)}`);
    }
  }
  return wrong;
}"""
FOCUS = r"""() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  (window.walked ??= []).push(node);
  const box = node.getBoundingClientRect();
  const style = getComputedStyle(node);
  const over = document.elementFromPoint(box.x + box.width / 2,
    box.y + Math.min(box.height / 2, 10));
  const isUnder = over?.closest('#head, #banners, #bulk, .fresh')
    && !over.contains(node) && !node.contains(over)
    && !node.closest('#head');
  return { what: node.outerHTML.slice(0, 100),
    shows: style.outlineStyle !== 'none' || style.boxShadow !== 'none',
    seen: box.width > 0 && box.height > 0 && !isUnder };
}"""
# Whoever looks reads downwards, and in a row to the right. What stands in
# another column may be higher; in one column nothing may come up again. What
# stays at an edge wherever one reads, as PAUSE ALL on a phone, has no place.
ORDER = r"""() => {
  scrollTo(0, 0);
  const round = [...new Set(window.walked)].filter((node) =>
    node.isConnected && !node.matches('.skip'));
  // Whatever the walk began with: it goes round, and one comes first.
  const start = round.findIndex((one) => round.every((other) => one === other
    || one.compareDocumentPosition(other)
      & Node.DOCUMENT_POSITION_FOLLOWING));
  const all = [...round.slice(start), ...round.slice(0, start)].map(
    (node) => ({ node, box: node.getBoundingClientRect() }))
    .filter(({ node, box }) => box.width
      && getComputedStyle(node).position !== 'fixed');
  const within = (a, b) => a.node.contains(b.node)
    || b.node.contains(a.node);
  const isBack = ({ box: a }, { box: b }) => {
    const beside = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const level = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    const isRow = level > Math.min(a.height, b.height) / 2;
    return isRow ? b.right <= a.left + 1
      : beside > 1 && b.bottom <= a.top + 1;
  };
  const say = ({ node }) => node.outerHTML.slice(0, 100);
  return all.flatMap((one, index) => all.slice(index + 1)
    .filter((next) => !within(one, next) && isBack(one, next))
    .map((next) => `${say(next)} comes after ${say(one)}`)).slice(0, 8);
}"""
# What is open and what is in it; where the focus is, and what is left out.
DIALOG = r"""() => {
  const dialog = document.querySelector('dialog[open]');
  const fields = [...dialog.querySelectorAll('button, a[href], input,'
    + ' select, textarea, summary, [tabindex="0"]')].filter((node) =>
    !node.disabled && node.type !== 'hidden' && node.checkVisibility()
    && node.type !== 'radio');
  return {
    many: fields.length,
    isIn: dialog.contains(document.activeElement),
    isModal: dialog.matches(':modal'),
    outside: window.walked.filter((node) => !dialog.contains(node))
      .map((node) => node.outerHTML.slice(0, 100)),
    missed: fields.filter((node) => !window.walked.includes(node))
      .map((node) => node.outerHTML.slice(0, 100)),
  };
}"""


def look(page: Page) -> list[str]:
    """Return what somebody could not perceive or use on a page."""
    found: list[str] = page.evaluate(LOOK)
    return found


def walk(page: Page, most: int) -> list[dict[str, Any]]:
    """Return what Tab comes to, one after the other, until it is round."""
    stops: list[dict[str, Any]] = []
    page.evaluate("document.activeElement?.blur(); window.walked = []")
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None or (stops and stop["what"] == stops[0]["what"]):
            break
        stops.append(stop)
    return stops


def disorder(page: Page) -> list[str]:
    """Return what of the last walk comes against the order in sight."""
    found: list[str] = page.evaluate(ORDER)
    return found


def look_into(page: Page) -> list[str]:
    """Return what is wrong with the open dialog, and with a walk in it."""
    page.evaluate("window.walked = []")
    wrong = look(page)
    inside = page.evaluate(DIALOG)
    wrong += [] if inside["isIn"] else ["the focus is not in the dialog"]
    wrong += [] if inside["isModal"] else ["what is behind can be used"]
    for _ in range(int(inside["many"]) + 2):
        page.keyboard.press("Tab")
        # Between the last and the first the browser's own bars have it.
        stop = page.evaluate(FOCUS)
        if stop and not (stop["shows"] and stop["seen"]):
            wrong.append(f"the focus is not seen: {stop['what']}")
    inside = page.evaluate(DIALOG)
    wrong += [f"outside of it: {one}" for one in inside["outside"]]
    wrong += [f"not come to: {one}" for one in inside["missed"]]
    wrong += disorder(page)
    return sorted(set(wrong))
