// Passkeys: ask the server what to ask the browser for, and send the browser's answer with the form. Where a browser
// cannot do this, the forms stay hidden.
{
  const named = !/^[\d.]+$|^\[/.test(location.hostname); // not by a number, for which there are no passkeys
  const can = named
    && window.PublicKeyCredential
    && PublicKeyCredential.parseCreationOptionsFromJSON
    && PublicKeyCredential.parseRequestOptionsFromJSON;

  class Refused extends Error {} // in the server's own words

  const ask = async (form) => {
    const adds = form.id === "add-passkey"; // then the password goes first
    const asked = adds ? { method: "POST", body: new URLSearchParams(new FormData(form)) } : {};
    const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" }, ...asked });
    const options = await answer.json();
    if (!answer.ok) throw new Refused(options.detail);
    return adds
      ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  };

  const serve = (form) => {
    const said = form.querySelector("[data-failed]");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      said.textContent = "";
      try {
        const made = await ask(form);
        form.elements.namedItem("credential").value = JSON.stringify(made.toJSON());
        form.submit();
      } catch (error) {
        said.textContent = error instanceof Refused ? error.message : said.dataset.failed;
      }
    });
  };

  if (can) for (const form of document.querySelectorAll("form[data-options]")) serve(form);
}
