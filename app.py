"""The app: `bookfit app`, or `streamlit run app.py`. Pages are the files of optimizer/ui/pages."""

from optimizer.ui.frame import show

show()
