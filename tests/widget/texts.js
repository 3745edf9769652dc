// Every line of text that can be seen inside an element and its shadow trees: its words and its rectangle on the page.
(selector) => {
  const EDGE = 4; // the frame of a field and the space beside it
  const found = [];

  function seen(element) {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    for (let one = element; one; one = one.parentElement ?? one.getRootNode().host) {
      const { width, height } = one.getBoundingClientRect();
      if (getComputedStyle(one).overflow !== "visible" && (width < 3 || height < 3)) return false; // for listeners only
      if (one.disabled || one.getAttribute("aria-disabled") === "true") return false;
    }
    return true;
  }

  function add(words, { left, top, width, height }) {
    if (width >= 4 && height >= 4) found.push({ words, box: [left + scrollX, top + scrollY, width, height] });
  }

  function walk(node) {
    if (node.nodeType === Node.TEXT_NODE && node.data.trim() && seen(node.parentElement)) {
      const range = document.createRange();
      range.selectNodeContents(node);
      const [first] = [...range.getClientRects()].sort((a, b) => b.width - a.width);
      if (first) add(node.data.trim().slice(0, 60), first);
    }
    if (node.nodeType !== Node.ELEMENT_NODE && !(node instanceof DocumentFragment)) return;
    if (["STYLE", "SCRIPT", "svg", "OPTION"].includes(node.nodeName)) return;
    if (node.matches?.("input:not([type=radio]):not([type=checkbox]):not([type=hidden]), textarea, select") && seen(node)) {
      const { left, top, width, height } = node.getBoundingClientRect();
      const shown = node.value || node.placeholder;
      if (shown) add(`${node.name || node.dataset.do}: ${shown}`.slice(0, 60),
        { left: left + EDGE, top: top + EDGE, width: width - 2 * EDGE, height: Math.min(height, 60) - 2 * EDGE });
    }
    for (const child of (node.shadowRoot ?? node).childNodes) walk(child);
  }

  for (const element of document.querySelectorAll(selector)) walk(element);
  return found;
}
