import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, luminance, mix, numbers, over } from "../../service/embed/widget/looks.js";

test("contrast is what WCAG says it is", () => {
  assert.equal(contrast([255, 255, 255, 1], [0, 0, 0, 1]), 21);
  assert.equal(contrast([10, 20, 30, 1], [10, 20, 30, 1]), 1);
  assert.ok(Math.abs(contrast([118, 118, 118, 1], [255, 255, 255, 1]) - 4.54) < 0.01);
  assert.ok(Math.abs(luminance([255, 0, 0, 1]) - 0.2126) < 1e-9);
});

test("what shines through is mixed", () => {
  assert.deepEqual(over([0, 0, 0, 0.5], [200, 100, 0, 1]), [100, 50, 0, 1]);
  assert.deepEqual(over([9, 9, 9, 1], [200, 100, 0, 1]), [9, 9, 9, 1]);
  assert.deepEqual(mix([100, 0, 0, 1], [0, 0, 100, 1], 0.25), [25, 0, 75, 1]);
});

test("colours are read as browsers write them", () => {
  for (const [text, found] of [
    ["rgb(1, 2, 3)", [1, 2, 3, 1]], ["rgba(0, 0, 0, 0)", [0, 0, 0, 0]], ["rgba(1, 2, 3, 0.5)", [1, 2, 3, 0.5]],
    ["color(srgb 1 0.5 0)", [255, 127.5, 0, 1]], ["color(srgb 1.2 -0.1 1e-7 / 0.25)", [255, 0, 2.55e-5, 0.25]],
    ["color(srgb none 0 1)", [0, 0, 255, 1]],
  ]) assert.deepEqual(numbers(text), found, text);
});

test("what is no colour is not readable on anything", () => {
  assert.ok(!(contrast(numbers("Canvas"), [255, 255, 255, 1]) >= 1));
});
