"""The pages, each behind its guard."""

from django.urls import URLPattern, URLResolver, path

from tocsin.doors.web import (
    cases,
    coordination,
    figures,
    journal,
    onetime,
    queue,
    reports,
    session,
    start,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", start.start, name="start"),
    path("help", start.help_page, name="help"),
    path("accessibility", start.accessibility, name="accessibility"),
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("figures", figures.figures, name="figures"),
    path("figures.csv", figures.figures_csv, name="figures-csv"),
    path("journal", journal.journal_page, name="journal"),
    path("reports", reports.home, name="reports"),
    path("reports/all", reports.report_list, name="report-list"),
    path("reports/all.csv", reports.reports_csv, name="reports-csv"),
    path("reports/seen", reports.notices_seen, name="notices-seen"),
    path("reports/<str:report_id>", reports.report, name="report"),
    path("reports/<str:report_id>/receipt", reports.receipt, name="receipt"),
    path("queue", queue.queue, name="queue"),
    path("cases/<str:case_id>", cases.case, name="case"),
    path("cases/<str:case_id>/accept", cases.accept, name="case-accept"),
    path("cases/<str:case_id>/assess", cases.assess, name="case-assess"),
    path("cases/<str:case_id>/answer", cases.answer, name="case-answer"),
    path("cases/<str:case_id>/withdraw", cases.withdraw, name="case-withdraw"),
    path("cases/<str:case_id>/redirect", cases.redirect, name="case-redirect"),
    path("cases/<str:case_id>/detach", cases.detach, name="case-detach"),
    path("cases/<str:case_id>/attach", cases.attach, name="case-attach"),
    path("cases/<str:case_id>/link", cases.make_link, name="case-link"),
    path("cases/<str:case_id>/packet", cases.packet, name="packet"),
    path("coordination", coordination.coordination, name="coordination"),
    path("link/<str:token>", onetime.one_time, name="one-time"),
    path("link/<str:token>/accept", onetime.accept, name="one-time-accept"),
    path("link/<str:token>/assess", onetime.assess, name="one-time-assess"),
    path("link/<str:token>/answer", onetime.answer, name="one-time-answer"),
    path("link/<str:token>/withdraw", onetime.withdraw, name="one-time-withdraw"),
]
