from etracker_admin_api.system.setting_descriptions import load_descriptions
from scripts.describe_settings import read_descriptions


def test_the_settings_page_says_what_the_document_says() -> None:
    """Take it over with ``python -m scripts.describe_settings``."""
    assert load_descriptions() == read_descriptions()
