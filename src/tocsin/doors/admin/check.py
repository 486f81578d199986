"""`tocsin check`: does everything that the exchange promised still hold?"""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def check(as_json: bool) -> None:
    """Check the journal and what depends on it, and name whatever does not fit.

    Reads every entry, tile, tree head, content and report. Exit status 8 where something was changed.
    """
    from tocsin.doors.admin.setup import prepare
    from tocsin.kernel.problems import NotGenuine

    prepare()
    from tocsin.jobs import queue
    from tocsin.journal import queries

    findings, failing = queries.audit(), queue.failing()
    jobs = [f"{job.task_path}: {job.exception_class_path}, {len(job.worker_ids)} tries" for job in failing]
    if as_json:
        found = [{"what": finding.what, "why": finding.why} for finding in findings]
        click.echo(json.dumps({"entries": queries.size(), "findings": found, "failing_jobs": jobs}))
    else:
        click.echo(f"{queries.size():,} journal entries read")
        for finding in findings:
            click.echo(f"{finding.what}: {finding.why}")
        for job in jobs:
            click.echo(f"job keeps failing: {job}")
    if findings:
        things = "one thing does" if len(findings) == 1 else f"{len(findings)} things do"
        raise NotGenuine(
            f"{things} not fit", hint="compare with the last backup and with a member's receipts"
        )
    if not as_json:
        click.echo("everything fits")
