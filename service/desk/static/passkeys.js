// Passkeys: ask the server what to ask the browser for, and send the browser's answer with the form. Where a browser
// cannot do this, the forms stay hidden.
{
  const named = !/^[\d.]+$|^\[/.test(location.hostname); // not by a number, for which there are no passkeys
  const can = named
    && window.PublicKeyCredential
    && PublicKeyCredential.parseCreationOptionsFromJSON
    && PublicKeyCredential.parseRequestOptionsFromJSON;

  const ask = async (form) => {
    const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const options = await answer.json();
    return form.id === "add-passkey"
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
      } catch {
        said.textContent = said.dataset.failed;
      }
    });
  };

  if (can) for (const form of document.querySelectorAll("form[data-options]")) serve(form);
}
