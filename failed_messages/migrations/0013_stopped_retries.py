from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("failed_messages", "0012_keys_in_the_audit_log")]

    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="subject",
            field=models.CharField(
                choices=[
                    ("message", "Message"),
                    ("group", "Group"),
                    ("job", "Bulk replay"),
                    ("policy", "Replay policy"),
                    ("restore", "Restored backup"),
                    ("request", "Request"),
                    ("pending", "Act to approve"),
                    ("person", "Person"),
                    ("key", "API key"),
                    ("retry", "Waiting retry"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="failedmessage",
            name="reason",
            field=models.CharField(
                choices=[
                    ("attempts_used_up", "Every attempt failed"),
                    ("stopped", "Somebody stopped its retries"),
                    ("permanent_error", "A retry cannot help"),
                    ("invalid_body", "The body is not what the handler needs"),
                    ("undecodable", "The body is not readable"),
                    ("unknown_type", "No handler for this type"),
                    ("invalid_properties", "Properties or headers are invalid"),
                    ("too_large", "Too large"),
                    ("time_limit", "Ran into the time limit"),
                    ("unroutable", "No queue for what it publishes"),
                    ("delivery_limit", "Its worker was killed each time"),
                    ("untrusted_publisher", "Its publisher may not publish it"),
                    ("contradicts_record", "Not what the publishing service stored"),
                    ("returned", "Came back too often without an outcome"),
                    ("rejected", "Rejected without a certificate"),
                    ("expired", "Waited too long in the queue"),
                    ("queue_full", "The queue was full"),
                ],
                max_length=30,
            ),
        ),
    ]
