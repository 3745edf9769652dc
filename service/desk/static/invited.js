// The link of an invitation has its secret in the fragment, which no server is told. From there it goes into the
// form's body, and out of the address bar: no address that anybody keeps ever holds it.
{
  const accept = () => {
    const secret = location.hash.slice(1);
    const form = document.getElementById("invited");
    if (!secret.startsWith("gri_") || !form) return;
    history.replaceState(null, "", location.pathname);
    form.elements.namedItem("invite").value = secret;
    form.submit();
  };
  addEventListener("hashchange", accept);
  accept();
}
