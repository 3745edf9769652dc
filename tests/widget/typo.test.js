import assert from "node:assert/strict";
import { test } from "node:test";
import { distance, meant } from "../../service/embed/widget/typo.js";

test("a slip in a well-known address is noticed", () => {
  for (const [typed, wanted] of [
    ["ada@gmial.com", "ada@gmail.com"], ["ada@gmai.com", "ada@gmail.com"], ["ada@gmail.con", "ada@gmail.com"],
    ["ada@gmail.cm", "ada@gmail.com"], ["ada@gmaill.com", "ada@gmail.com"], ["ada@hotmial.com", "ada@hotmail.com"],
    ["ada@outlok.com", "ada@outlook.com"], ["ada@yaho.com", "ada@yahoo.com"], ["ada@iclod.com", "ada@icloud.com"],
    [" Ada@GMIAL.com ", "ada@gmail.com"], ["ada@googlemial.com", "ada@googlemail.com"],
  ]) assert.equal(meant(typed), wanted, typed);
});

test("what is an address of its own is left alone", () => {
  for (const typed of [
    "ada@gmail.com", "ada@mail.com", "ada@ymail.com", "ada@email.com", "ada@yahoo.de", "ada@yahoo.es", "ada@yahoo.it",
    "ada@yahoo.in", "ada@yahoo.ca", "ada@hotmail.de", "ada@hotmail.it", "ada@live.fr", "ada@gmx.at", "ada@gmx.com",
    "ada@ge.com", "ada@we.com", "ada@a.com", "ada@sol.com", "ada@126.com", "ada@list.ru", "ada@mail.example.org",
    "ada@tree.fr", "ada@web.dk", "ada@proton.ch", "ada@outlook.de", "ada@freenet.de", "ada@wanadoo.fr", "ada@mac.com",
  ]) assert.equal(meant(typed), null, typed);
});

test("what is no address has no better one", () => {
  for (const typed of ["", "ada", "@gmial.com", "ada@", "a b@gmial.com", "ada@gmial.com@x"]) assert.equal(meant(typed), null, typed);
});

test("letters that changed places are one slip", () => {
  assert.equal(distance("gmial", "gmail"), 1);
  assert.equal(distance("", "abc"), 3);
  assert.equal(distance("kitten", "sitting"), 3);
});
