"""What several tests share: small studies, recipes, jobs, a browser."""
