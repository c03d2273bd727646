"""Make the use cases of whoever looks into a namespace; the module is loaded for the first of them."""

from dataclasses import replace

from civitai_mock.api.exchange import UseCases
from civitai_mock.bootstrap.providers import read_skeletons
from civitai_mock.ports import Stores
from civitai_mock.services.callback_views import ShowCallbacks
from civitai_mock.services.controls import Controls
from civitai_mock.services.faults.blob_views import ShowBlobFaults
from civitai_mock.services.faults.try_rule import TryRule
from civitai_mock.services.job_graphs import ShowGraphs
from civitai_mock.services.job_listing import CountJobs, ListJobs
from civitai_mock.services.journal.reading import ReadJournal
from civitai_mock.services.journal.sharing import AskJournals
from civitai_mock.services.journal.verify import VerifyRequests
from civitai_mock.services.list_due import ListDue
from civitai_mock.services.list_images import ListImages
from civitai_mock.services.looking_in import ListQueue, LookingIn
from civitai_mock.services.namespace_ids import uncounted
from civitai_mock.services.overview import ShowOverview
from civitai_mock.services.progress_policy import ProgressPolicy
from civitai_mock.services.shown_settings import ShowSettings
from civitai_mock.settings import Settings


def make_looking_in(
    stores: Stores,
    use_cases: UseCases,
    settings: Settings,
    controls: Controls,
    policy: ProgressPolicy,
    ask: AskJournals,
) -> LookingIn:
    show_callbacks = ShowCallbacks(
        webhooks=stores.webhooks, announcements=stores.announcements, workflows=stores.workflows
    )
    build, list_jobs = use_cases.submit.build, ListJobs(search=stores.search, callbacks=show_callbacks)
    return LookingIn(
        list_jobs=list_jobs,
        count_jobs=CountJobs(list_jobs=list_jobs),
        show_overview=ShowOverview(
            jobs=stores.jobs,
            queue=stores.queue,
            search=stores.search,
            policy=policy,
            clock=use_cases.clock,
        ),
        list_due=ListDue(queue=stores.queue, get_clock=use_cases.get_control_clock),
        list_images=ListImages(list_jobs=list_jobs, blob_access=use_cases.blob_access),
        list_queue=ListQueue(queue=stores.queue, clock=use_cases.clock),
        show_graphs=ShowGraphs(
            jobs=stores.jobs,
            query=use_cases.query,
            build=replace(build, ids=uncounted(build.ids)),
            load_skeletons=read_skeletons,
        ),
        show_blob_faults=ShowBlobFaults(blobs=stores.blobs),
        show_callbacks=show_callbacks,
        show_settings=ShowSettings(of_process=settings.shown, controls=controls),
        read_journal=ReadJournal(journal=ask.journal, ask=ask),
        try_rule=TryRule(journal=ask.journal, ask=ask),
        verify=VerifyRequests(journal=ask.journal, ask=ask, most=settings.max_waiting_requests),
    )
