"""What is kept of a person here."""

from failed_messages.personal_data import messages as messages
