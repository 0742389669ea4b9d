"""The tool library keeps its rules, domain by domain and as a whole."""

from __future__ import annotations

import pytest

from tests.helpers.tool_library import all_domains, complaints, library_complaints

READ = all_domains()


@pytest.mark.parametrize("name", READ)
def test_a_domain_keeps_the_rules(name):
    domain, row, size = READ[name]
    assert list(complaints(domain, row, size)) == []
    assert domain.name == name


def test_no_tool_and_no_request_is_in_the_library_twice():
    assert list(library_complaints([domain for domain, _, _ in READ.values()])) == []
