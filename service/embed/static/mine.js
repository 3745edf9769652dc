// The private link has its token in the fragment, which no server is told. From there it goes into the form's body,
// and out of the address bar: no address that anybody keeps ever holds it.
const open = () => {
  const token = location.hash.slice(1);
  const form = document.getElementById("gr-open");
  if (!token.startsWith("gra_") || !form) return;
  history.replaceState(null, "", location.pathname);
  form.elements.namedItem("token").value = token;
  form.submit();
};
addEventListener("hashchange", open);
open();
