"""The screens. A page is a script in `pages/`; to add one see docs/how-to-add-a-page.md.

Only `state` touches the session, only `jobs` runs solves, and nothing outside `app.py` and this folder knows Streamlit.
"""
