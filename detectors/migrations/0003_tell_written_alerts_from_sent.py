from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# How a delivery without a mail server looked before: sent, with this remark.
KEPT = 'Kept as a file only: this server has no mail server.'


def mark_written(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    deliveries = apps.get_model('detectors', 'AlertDelivery').objects
    deliveries.filter(state='sent', error=KEPT).update(state='written', sent_at=None)


class Migration(migrations.Migration):

    dependencies = [
        ('detectors', '0002_widen_lease_owner'),
    ]

    operations = [
        migrations.AlterField(
            model_name='alertdelivery',
            name='state',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Sending'), ('sent', 'Sent'), ('written', 'Written to a file'), ('failed', 'Failed'), ('uncertain', 'Uncertain')], default='waiting', max_length=10),
        ),
        migrations.RunPython(mark_written, migrations.RunPython.noop, elidable=True),
    ]
