"""What the audit log holds, in words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

_DEEDS = {
    "comment.created": _("Sent"),
    "comment.approved": _("Approved"),
    "comment.rejected": _("Rejected"),
    "comment.spam": _("Marked as spam"),
    "comment.deleted": _("Deleted"),
    "comment.restored": _("Put back in the queue"),
    "comment.undone": _("Undone"),
    "comment.edited": _("Text changed"),
    "comment.flagged": _("Reported"),
    "comment.erased": _("Erased"),
    "comment.mail-stopped": _("Mail stopped"),
    "comment.noted": _("Noted"),
    "comment.pinned": _("Pinned"),
    "comment.unpinned": _("No longer pinned"),
    "comment.revealed": _("E-mail address shown"),
    "comment.revision-held": _("A change of the text was held"),
    "comment.revision-dropped": _("The change of the text was taken back"),
    "comment.revision-refused": _("The change of the text was refused"),
    "comments.bulk": _("Decided on many"),
    "comments.undone": _("A decision on many undone"),
    "import.finished": _("Imported"),
    "import.stopped": _("An import stopped"),
    "import.undone": _("An import taken back"),
    "moderator.added": _("Account made"),
    "moderator.admin": _("Admin made, or no more"),
    "moderator.closed": _("Account closed"),
    "moderator.opened": _("Account opened again"),
    "moderator.password": _("Password set"),
    "moderator.renamed": _("Account renamed"),
    "page.alias": _("Another address led to a page"),
    "page.renamed": _("Page renamed"),
    "person.looked-up": _("Looked up by e-mail address"),
    "role.granted": _("Role given"),
    "role.withdrawn": _("Role taken away"),
    "session.ended": _("Signed out"),
    "session.opened": _("Signed in"),
    "session.refused": _("Sign-in refused"),
    "site.added": _("Site added"),
    "rule.added": _("Rule made"),
    "rule.changed": _("Rule changed"),
    "rule.removed": _("Rule removed"),
    "factor.codes-on": _("Codes from an app switched on"),
    "factor.codes-off": _("Codes from an app switched off"),
    "factor.recovery-made": _("Recovery codes made"),
    "factor.recovery-used": _("Recovery code used"),
    "factor.passkey-added": _("Passkey added"),
    "factor.passkey-copied": _("Passkey refused: it may have been copied"),
    "factor.passkey-removed": _("Passkey removed"),
    "invite.made": _("Invitation made"),
    "invite.accepted": _("Invitation accepted"),
    "invite.revoked": _("Invitation taken back"),
    "filter.saved": _("Filter saved"),
    "filter.deleted": _("Filter deleted"),
    "reasons.changed": _("Reasons of the site changed"),
    "site.changed": _("Settings of the site changed"),
    "thread.closed": _("Page closed"),
    "thread.opened": _("Page opened"),
    "token.issued": _("Token made"),
    "token.revoked": _("Token revoked"),
    "webhook.added": _("Webhook added"),
    "webhook.changed": _("Webhook changed"),
    "webhook.disabled": _("Webhook switched off"),
    "webhook.enabled": _("Webhook switched on again"),
    "webhook.recovered": _("What a webhook missed was sent again"),
    "webhook.redelivered": _("An event was sent to a webhook again"),
    "webhook.removed": _("Webhook removed"),
    "webhook.rotated": _("Webhook given another secret"),
}
"""What somebody did, by the action of the audit log."""
_DETAILS = {
    "reason": _("Reason"),
    "note": _("Note"),
    "from": _("from"),
    "to": _("to"),
    "before": _("before"),
    "after": _("after"),
    "undoes": _("undoes the decision"),
    "decision": _("decision"),
    "total": _("how many"),
    "alias": _("address"),
    "name": _("name"),
    "key": _("key"),
    "revision": _("change"),
    "host": _("host"),
    "because": _("because"),
    "include_email": _("with e-mail addresses"),
}


def deed(action: str) -> str:
    """An action of the audit log; one that has no words here says its name."""
    return str(_DEEDS.get(action, action))


def deeds() -> list[tuple[str, str]]:
    """Every action of the audit log and its words, in the order of the words."""
    return sorted(((action, str(one)) for action, one in _DEEDS.items()), key=lambda pair: pair[1].casefold())


def detail(name: str) -> str | None:
    """What a detail of an audit entry is called; None where it has no words."""
    return str(_DETAILS[name]) if name in _DETAILS else None
