"""Streamlit's pages, Gradio's panels, and the routes beside them."""
