/* Passkeys: asks the browser for a credential and sends it with the form around the button. Without JavaScript, or
   where the browser knows no passkeys, the button stays hidden: a password or a code does as well. */
(function () {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  function bytes(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (letter) { return letter.charCodeAt(0); });
  }

  function text(buffer) {
    if (!buffer) return null;
    var plain = String.fromCharCode.apply(null, new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function read(options) {
    var key = options.publicKey;
    key.challenge = bytes(key.challenge);
    if (key.user) key.user.id = bytes(key.user.id);
    (key.allowCredentials || []).concat(key.excludeCredentials || []).forEach(function (one) { one.id = bytes(one.id); });
    return options;
  }

  function said(credential) {
    var response = { clientDataJSON: text(credential.response.clientDataJSON) };
    ["attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (credential.response[name] !== undefined) response[name] = text(credential.response[name]);
    });
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response: response,
      authenticatorAttachment: credential.authenticatorAttachment || null,
      clientExtensionResults: credential.getClientExtensionResults()
    });
  }

  function options(form) {
    if (form.dataset.options) return Promise.resolve(JSON.parse(form.dataset.options));
    return fetch(form.action, { headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.json(); })
      .then(function (data) { return data.request_options; });
  }

  function make(form, wanted) {
    if (form.dataset.passkey !== "create") return navigator.credentials.get(read(wanted));
    var alone = form.querySelector("[name=passwordless]");
    var chosen = wanted.publicKey.authenticatorSelection = wanted.publicKey.authenticatorSelection || {};
    if (alone) {
      chosen.residentKey = alone.checked ? "required" : "discouraged";
      chosen.requireResidentKey = alone.checked;
      if (alone.checked) chosen.userVerification = "required";
    }
    return navigator.credentials.create(read(wanted));
  }

  Array.prototype.forEach.call(document.querySelectorAll("form[data-passkey]"), function (form) {
    form.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var failed = form.querySelector("[data-passkey-failed]");
      if (failed) failed.hidden = true;
      options(form).then(function (wanted) { return make(form, wanted); }).then(function (credential) {
        form.querySelector("[name=credential]").value = said(credential);
        form.submit();
      }).catch(function () { if (failed) { failed.hidden = false; failed.focus(); } });
    });
  });
})();
