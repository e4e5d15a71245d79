"""HTML pages, with their templates in templates/, and their style sheet and scripts in assets/.

Pages are rendered by the server, from the same services as the API, and work without scripts. See
docs/decisions/0024-pages.md.

words.py         every word that the pages show
account_words.py  those about accounts and files
rendering.py     pages from templates, and the headers that keep them safe
visitors.py      who looks at a page, and the cookies
forms.py         the forms of pages, read only from a page of this planner
page_errors.py   errors as pages
assets_route.py  the files that pages load
entrance.py      welcome, sign up, sign in, sign out
dates.py         dates and times in words
events/          the pages of events
calendar_views/  the calendar: a month, a week, a day or a list
search.py        search for events
api_page.py      /docs: the OpenAPI document in Swagger UI
provider_sign_in.py  signing in with an OpenID Connect provider
recovery_pages.py  forgotten passwords, and the pages that links in mails open
personal.py      pages of somebody who is signed in, and their forms
dates.py         dates and times in words
uploads.py       forms with a file
account/         one's own account
files/           imports, feeds, exports
admin/           pages of moderators and admins
"""
