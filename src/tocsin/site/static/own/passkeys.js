// The one ceremony that a page cannot do by itself: asking the device for a passkey.
(() => {
  "use strict";

  const form = document.querySelector("form[data-passkey]");
  if (!form) return;
  const button = form.querySelector("button");
  const told = form.querySelector("[data-told]");
  if (!window.PublicKeyCredential) {
    button.hidden = true;
    told.textContent = "This browser cannot use passkeys. Choose another way.";
    return;
  }

  const bytes = (text) => Uint8Array.from(
    atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0),
  );
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (items) => (items || []).map((item) => ({ ...item, id: bytes(item.id) }));

  const options = JSON.parse(form.dataset.options).publicKey;
  options.challenge = bytes(options.challenge);
  if (options.user) options.user = { ...options.user, id: bytes(options.user.id) };
  options.excludeCredentials = listed(options.excludeCredentials);
  options.allowCredentials = listed(options.allowCredentials);

  const spelled = (credential) => {
    const { response } = credential;
    const said = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) said.attestationObject = text(response.attestationObject);
    if (response.authenticatorData) said.authenticatorData = text(response.authenticatorData);
    if (response.signature) said.signature = text(response.signature);
    if (response.userHandle) said.userHandle = text(response.userHandle);
    return {
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response: said,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    told.textContent = "";
    try {
      const making = form.dataset.passkey === "create";
      const credential = making
        ? await navigator.credentials.create({ publicKey: options })
        : await navigator.credentials.get({ publicKey: options });
      form.elements.credential.value = JSON.stringify(spelled(credential));
      form.submit();
    } catch (error) {
      told.textContent = error.name === "InvalidStateError"
        ? "This device has a passkey for you already."
        : "Nothing was shown. Press the button to try again, or choose another way.";
    }
  });
})();
