/** Addresses as people mistype them. */

const KNOWN = ["gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.fr", "hotmail.com", "hotmail.co.uk", "hotmail.fr", "outlook.com",
  "live.com", "icloud.com", "aol.com", "t-online.de", "orange.fr", "libero.it", "yandex.ru", "proton.me", "protonmail.com"];
const OTHERS = ["mail.com", "ymail.com", "email.com"]; // close to those, and no slip
const COM = /^(c[mo]|[vx]om|c[ip0]m|com?n|comm|ocm|cmo|om)$/;
const SHORT = 5; // a shorter name is one letter away from somebody else's

/**
 * The address that was meant, where one differs from a well-known host by a slip; else null.
 * @param {string} address
 */
export function meant(address) {
  const [, person, host] = /^(\S+)@([^\s@]+)$/.exec(address.trim().toLowerCase()) ?? [];
  if (!host || KNOWN.includes(host) || OTHERS.includes(host)) return null;
  const [near] = KNOWN.map((known) => ({ known, far: slips(host, known) })).filter(({ far }) => far).sort((a, b) => a.far - b.far);
  return near ? `${person}@${near.known}` : null;
}

/**
 * How many slips lead from one host to the other; 0 where it is another one.
 * @param {string} host
 * @param {string} known
 */
function slips(host, known) {
  const [[name, end], [meantName, meantEnd]] = [host, known].map((one) => [one.slice(0, one.indexOf(".")), one.slice(one.indexOf(".") + 1)]);
  if (name === meantName) return meantEnd === "com" && COM.test(end) ? 1 : 0;
  const far = end === meantEnd && meantName.length >= SHORT ? distance(name, meantName) : Infinity;
  return far <= (meantName.length > SHORT + 1 ? 2 : 1) ? far : 0;
}

/**
 * Letters that were added, left out, changed or swapped with their neighbour (Damerau-Levenshtein, adjacent).
 * @param {string} one
 * @param {string} other
 */
export function distance(one, other) {
  /** @type {number[][]} */
  const rows = [Array.from({ length: other.length + 1 }, (_, n) => n)];
  for (let i = 1; i <= one.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= other.length; j++) {
      const change = one[i - 1] === other[j - 1] ? 0 : 1;
      const swap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1] ? rows[i - 2][j - 2] + 1 : Infinity;
      rows[i].push(Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + change, swap));
    }
  }
  return rows[one.length][other.length];
}
