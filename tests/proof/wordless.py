"""What templates show besides words of somebody's. To forget to escape it would change nothing, so nothing is seen."""

from __future__ import annotations

import re

_NUMBERS = """
number
waiting
changes
pending
ages.p50
ages.p95
ages.oldest
bar.x
bar.width
bar.top
bar.top_of_published
bar.published
bar.others
one.decisions
one.approved
one.others
one.overturned
n * 22
days
setup.size
problem.status
one.person.comments
one.person.approved
one.person.rejected
one.revisions | length
loop.index if loop.index > 1
loop.index
bar.label
bar.share
bar.tally.delivered
bar.tally.failed
"{:,}".format(bar.count)
"%.1f" % page.rating.average
"%g" % page.rating.best
"%g" % value
"%g" % best
"%g" % step
'%g' % step
"%g" % scale.maximum
'%g' % scale.maximum
"%g" % scale.step
'%g' % scale.step
'%g' % (22 * stars(value, best))
'%g' | format(one.rating)
'%g' | format(query.rating)
'%g' | format(one.rating_scale)
many.tried
many.total
selected.count
one.count
"""

_IDS_TOKENS_TIMES_AND_COLOURS = """
one.decision_id
query.person
desk_language()
id
seen
choice
one.key
entry.site
bar.iso
found.bars[0].label
found.bars[-1].label
query.subject
query.since or ''
selected.edited or ''
query.until or ''
person
site
owned[0].key
searched[0].key
today
since
row.id
row.event
sites[0].key
list.key
query.network
one
one.id
one.key
secret
link
setup.text
setup.path
one.version
change.id
typed.token
comment.id
comment.parent_id
site.key
query.site
csrf_token()
form.token
share
selected.key
selected.newest or ''
who.moderator_id
reason.code
login_user_form.csrf_token
at.iso
at.full
words or at.age
timestamp
drawn.ground
path
colour
section.language
"""

_WORDS_OF_OURS = """
_('until %(time)s', time=time(one.until, one.until.full)) if one.until else _('for good')
_('Unpin') if one.pinned else _('Pin to the top of its page')
key
deed
about
value
shown
said
text | string | said
one.state
one.parent.state
reason.detail | said
text.detail | said
one.outcome or _('Waits again.')
now
then
state
column
one.now
one.then
setting.label
setting.told
row.what
row.state
row.state_name
row.type
state or ''
format
type
one.because | said
one.how
one.what | join(', ') or _('All events')
attempt.error | said
' small' if small
': ' if attempt.status
hatch()
heads()
legend()
modes[row.site.mode]
{'csv': 'CSV', 'jsonl': 'JSON Lines'}[form]
problem.detail | said
text | said
reason | said
sentence | said
state
{'block': _('Blocked'), 'hold': _('Held'), 'shadow': _('In shadow mode'), 'trust': _('Trusted')}[one.effect]
'false' if one.pinned else 'true'
kind
query.kind
end
one.effect
label
name
one.scopes
one.role
one.browser or ''
roles[one.role]
at
text
sort
heading
ids|join(' ')
query.status
query.revision
change.by
tag
done
words[one.status]
"Your change waits for a moderator" if one.revision.state == "held" else "A moderator did not take your change"
dict(tabs)[query.status]
one.status
one.parent.status
one.outcome
entry.what
reason.detail
report.reason
text.detail
error.detail
problem.detail
form.trouble
form.label(name)
form.label("body")
section.closed
closed
"Please check: " if form.problem
"Reply" if form.values.get("parent_id") else "Comment"
'Older' if query.sort == 'newest' else 'Next'
', ' if not loop.last
'comment' if one.person.comments == 1 else 'comments'
several(page.comment_count, "comment", "comments") if page.comment_count else "Comments"
{'published': 'Replaced', 'refused': 'Refused; asked for'}[row.state]
"""

_ADDRESSES_OF_OURS_PERCENT_ENCODED = """
news
counts
all
first
file
entry.comment
without_subject
next
queue
action
address()
one.there
widget
comments
form.action
form.cancel
thread
problem.more.comments
section.links.reply(comment.id)
section.links.thread(anchor='greenroom')
section.links.thread(anchor='greenroom', sort=name)
section.links.thread(anchor='greenroom', cursor=section.document.next)
section.links.thread(comment=comment.id, cursor=comment.replies_next, anchor='comment-' ~ comment.id)
"""

_ADDRESSES_ON_THE_WEB_WITHOUT_MARKS_OF_HTML = """
one.host
_('Nothing is sent to %(host)s any more, since %(time)s. %(why)s', host=host, time=time(one.disabled, one.disabled.full), why=one.because | said)
_('Nothing is sent to %(host)s any more, also of what is on its way, and what was sent is forgotten. This cannot be undone.', host=one.host)
one.website_host or _('unclear')
back
there
page.url
one.page_link
comment.author.website
one.author.website
one.website_host or 'unclear'
"""  # noqa: E501

_ADDRESSES_OF_PEOPLE_HELD_TO_THEIR_FORM = """
_('the network %(label)s', label=person.network)
_('the network %(label)s', label=code(one.value))
_('addresses in %(range)s', range=code(one.value))
_('e-mail at %(domain)s', domain=code(one.value))
_('links to %(host)s', host=code(one.value))
_('%(num)s alike: %(shared)s', num=one.count, shared=one.shared)
one.group
one.email or _('no e-mail address')
person.email or _('none')
one.network
one.email
me.email
one.email or 'none'
one.email or 'no e-mail address'
address or 'deleted when its time was up, or never given'
"""

_SENTENCES_THAT_HOLD_NOTHING_ELSE = """
_('The old secret signs, too, until %(time)s.', time=time(one.old_secret, one.old_secret.full))
_('The next try: %(time)s.', time=time(row.next, row.next.full))
ngettext('%(num)s try', '%(num)s tries', row.tried | length)
_('the last: %(what)s', what=came(row.tried[-1]))
_('after %(count)s ms', count=attempt.milliseconds)
_('Send again: %(what)s', what=row.what)
_('status %(number)s', number=attempt.status)
_('since %(time)s', time=time(one.disabled, one.disabled.full))
_('since %(time)s', time=time(one.failing, one.failing.full))
_('most: %(count)s', count=found.most.count)
_('Most of them at %(time)s: %(count)s.', time=found.most.label, count=found.most.count)
_('Most of them at %(time)s: %(count)s.', time=found.bars.most.label, count=found.bars.most.count)
_('In the last 14 days: %(delivered)s delivered, %(failed)s not.', delivered=found.delivered, failed=found.failed)
_('The comment of %(name)s.', name=name)
_('rates it %(rating)s of %(scale)s', rating='%g' | format(one.rating), scale='%g' | format(one.rating_scale)) if one.rating_scale else _('rates it %(rating)s', rating='%g' | format(one.rating))
ngettext('%(num)s comment', '%(num)s comments', one.record.comments)
_('%(approved)s approved, %(rejected)s rejected or spam; the first %(time)s', approved=one.record.approved, rejected=one.record.rejected, time=time(one.record.first_seen))
_('Text changed %(time)s.', time=time(one.edited))
_('Approve and reply') if one.status == 'pending' else _('Reply')
_('E-mail: %(address)s', address=address) if address else _('E-mail: deleted when its time was up, or never given')
_('%(about)s: all', about=about)
_('Without %(filter)s', filter=shown)
_('You have %(count)s.', count=one.count)
_('Older') if query.sort == 'newest' else _('Next')
_('By %(who)s, %(time)s. Until you decide, the text above stays published.', who=change.by, time=time(change.at, change.at.full))
ngettext('%(num)s comment on this site: %(approved)s approved, %(rejected)s rejected or spam.', '%(num)s comments on this site: %(approved)s approved, %(rejected)s rejected or spam.', one.record.comments, approved=one.record.approved, rejected=one.record.rejected)
_('The first: %(time)s.', time=time(one.record.first_seen, one.record.first_seen.full))
_('E-mail: %(address)s', address=one.email) if one.email else _('E-mail: none')
ngettext("%(num)s token still opens your account.", "%(num)s tokens still open your account.", good)
ngettext("%(num)s passkey still opens your account.", "%(num)s passkeys still open your account.", passkeys | length)
_('Earlier texts (%(count)s)', count=one.revisions | length)
_('Line %(number)s:', number=line)
_('Several: one a line, %(count)s at most; each becomes a rule, or none does.', count=most)
_("These recovery codes take the place of those before. They let you in without your phone, each once. They are shown this once: print them, or write them down.") if renewed else _("Codes are asked for from now on. These recovery codes let you in without your phone, each once. They are shown this once: print them, or write them down.")
ngettext("%(num)s recovery code is left.", "%(num)s recovery codes are left.", recovery_left)
_("added %(time)s", time=time(one.made))
_("until %(time)s", time=time(one.ends, one.ends.full))
_('Your role: %(role)s.', role=roles[row.role])
_('only about %(subject)s', subject=query.subject)
_("%(tried)s of %(total)s. You can go on with other things meanwhile.", tried=many.tried|decimalformat, total=many.total|decimalformat)
ngettext("And %(num)s more.", "And %(num)s more.", many.more)
_("Stop and undo") if many.state == 'working' else _("Undo")
ngettext('%(num)s decision', '%(num)s decisions', found.total)
ngettext("%(count)s comment that matches is selected.", "All %(count)s comments that match are selected.", selected.count, count=selected.count|decimalformat)
_('%(count)s selected', count='#')
ngettext('What it would have done to the last comment', 'What it would have done to the last %(num)s comments', trial.judged)
ngettext('%(num)s comment would be treated differently.', '%(num)s comments would be treated differently.', trial.changed)
_("last used %(time)s", time=time(one.used))
_("Since %(began)s, last seen %(seen)s", began=time(one.began), seen=time(one.seen))
_("ends on %(time)s", time=time(one.ends, one.ends.full))
_("ended on %(time)s", time=time(one.ends, one.ends.full))
ngettext("%(num)s day", "%(num)s days", days)
ngettext('%(num)s decision', '%(num)s decisions', total.decisions)
ngettext('%(num)s of them was undone or decided otherwise later.', '%(num)s of them were undone or decided otherwise later.', total.overturned)
"""  # noqa: E501

_HTML_OF_THE_SANITISER = """
one.said
"""

WORDLESS = frozenset(
    line
    for listed in (
        _NUMBERS,
        _IDS_TOKENS_TIMES_AND_COLOURS,
        _WORDS_OF_OURS,
        _ADDRESSES_OF_OURS_PERCENT_ENCODED,
        _ADDRESSES_ON_THE_WEB_WITHOUT_MARKS_OF_HTML,
        _ADDRESSES_OF_PEOPLE_HELD_TO_THEIR_FORM,
        _SENTENCES_THAT_HOLD_NOTHING_ELSE,
        _HTML_OF_THE_SANITISER,
    )
    for line in listed.strip().splitlines()
)
_BARE_SENTENCE = re.compile(r"""_\((['"])(?:(?!\1).)*\1\)""")


def is_wordless(expression: str) -> bool:
    """Whether it is in the lists above, or a sentence of the desk that holds nothing."""
    return expression in WORDLESS or _BARE_SENTENCE.fullmatch(expression) is not None
