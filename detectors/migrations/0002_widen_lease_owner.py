from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('detectors', '0001_create_detection'),
    ]

    operations = [
        migrations.AlterField(
            model_name='detectorrun',
            name='lease_owner',
            field=models.CharField(blank=True, max_length=120),
        ),
    ]
