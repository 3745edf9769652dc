"""What templates show besides words of somebody's. To forget to escape it would change nothing, so nothing is seen."""

from __future__ import annotations

_NUMBERS = """
waiting
n * 22
problem.status
one.person.comments
one.person.approved
one.person.rejected
one.revisions | length
loop.index if loop.index > 1
bar.label
bar.share
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
'%g' | format(one.rating_scale)
"""

_IDS_TOKENS_TIMES_AND_COLOURS = """
one.id
comment.id
comment.parent_id
site.key
query.site
csrf_token()
form.token
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
label
name
at
text
sort
heading
ids|join(' ')
query.status
dict(tabs)[query.status]
one.status
one.parent.status
one.outcome
entry.what
reason.detail
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
{'published': 'Replaced', 'held': 'Held', 'refused': 'Refused'}[row.state]
"""

_ADDRESSES_OF_OURS_PERCENT_ENCODED = """
next
queue
action
address()
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
back
page.url
one.page_link
comment.author.website
one.author.website
one.website_host or 'unclear'
"""

_ADDRESSES_OF_PEOPLE_HELD_TO_THEIR_FORM = """
one.network
one.email or 'none'
one.email or 'no e-mail address'
address or 'deleted when its time was up, or never given'
"""

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
        _HTML_OF_THE_SANITISER,
    )
    for line in listed.strip().splitlines()
)
