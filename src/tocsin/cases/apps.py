from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "tocsin.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear of new reports, sweep the clocks, and prove that nobody meets silence."""
        from tocsin.cases import leaving, shares, tasks, triage
        from tocsin.cases.audit import check_cases
        from tocsin.jobs import periodic
        from tocsin.journal import audit, projections
        from tocsin.journal.subscriptions import subscribe

        subscribe(tasks.NEWS, tasks.link_new)
        for event in leaving.GONE:
            subscribe(event, tasks.notice_leaving)
        periodic.every(15, tasks.sweep_clocks)
        periodic.every(600, tasks.join_campaigns)
        subscribe(tasks.CHANGES, tasks.fill_terms)
        periodic.every(3_600, tasks.succeed_units)
        periodic.every(86_400, triage.refresh_all)
        projections.follow("cases:", triage.follow)
        projections.follow("cases:", shares.follow)
        audit.also(check_cases)
