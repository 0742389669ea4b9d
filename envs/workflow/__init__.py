"""Workflow generation."""
