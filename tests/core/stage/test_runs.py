"""Running a page over its socket: the numbers of the fields are those of the Streamlit that is installed."""

from __future__ import annotations

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from core.stage import runs


def test_what_is_sent_is_what_streamlit_reads() -> None:
    said = runs._field(
        runs.RERUN, runs._field(runs.QUERY, b"dataset=demo") + runs._field(runs.PAGE, b"browse")
    )
    read = BackMsg.FromString(said).rerun_script
    assert (read.query_string, read.page_name) == ("dataset=demo", "browse")


def test_what_streamlit_sends_is_read() -> None:
    message = ForwardMsg()
    message.delta.new_element.alert.body = "no \\_such\\_ dataset"
    message.delta.new_element.alert.format = Alert.ERROR
    ((number, delta),) = runs.fields(message.SerializeToString())
    assert number == runs.DELTA and list(runs._red(delta)) == ["no _such_ dataset"]  # type: ignore[arg-type]
    message.delta.new_element.exception.message = "x"
    ((_, delta),) = runs.fields(message.SerializeToString())
    assert list(runs._red(delta)) == ["it broke"]  # type: ignore[arg-type]
    pages = ForwardMsg()
    pages.navigation.app_pages.add(url_pathname="browse", page_name="Browse")
    ((number, found),) = runs.fields(pages.SerializeToString())
    assert number == runs.NAVIGATION and [runs._pathname(one) for _, one in runs.fields(found)] == ["browse"]  # type: ignore[arg-type]
    assert dict(runs.fields(ForwardMsg(script_finished=0).SerializeToString())).keys() == {runs.FINISHED}
