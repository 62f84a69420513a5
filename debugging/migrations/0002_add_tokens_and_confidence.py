from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('debugging', '0001_create_debugging'),
    ]

    operations = [
        migrations.AddField(
            model_name='debuggingsession',
            name='confidence',
            field=models.FloatField(blank=True, help_text='0 to 1, of the change that is named first.', null=True),
        ),
        migrations.AddField(
            model_name='repository',
            name='sealed_token',
            field=models.TextField(blank=True, editable=False, help_text='Encrypted; debugging.access_tokens reads it.'),
        ),
        migrations.AddField(
            model_name='repository',
            name='token_hint',
            field=models.CharField(blank=True, editable=False, max_length=4),
        ),
    ]
