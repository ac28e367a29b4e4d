"""Mail over SMTP, with aiosmtplib."""
