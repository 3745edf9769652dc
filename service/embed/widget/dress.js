/** How everything looks that is not read at first sight. */

const STYLE = ""; // the server puts living.css here

export const style = new CSSStyleSheet();
style.replaceSync(STYLE);
