"""What stands beside Streamlit's pages for a stage: tours, visitors' phones, the wall."""
