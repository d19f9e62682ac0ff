"""What a subscription pushes: each event's answer, made once for all clients here that are to get the same."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any
from weakref import WeakValueDictionary

import graphql
import msgspec
from graphql import DocumentNode, Executor, FieldNode, FragmentDefinitionNode, Node, VariableNode
from graphql.execution.collect_fields import collect_fields

import measuring
from live.messages import News
from resolvers.watching import Watch, persistently
from schema.ahead import look_ahead
from schema.answers import answer_of
from schema.context import Context, Info
from schema.projecting import Project, projection


@dataclass(frozen=True, slots=True)
class Stream:
    """What a subscription's resolver returns: what is watched, and how it is shown."""

    watch: Watch[Any]
    show: Callable[[Context, Any], Any]
    info: Info
    news: Callable[[Any], News] | None = None
    "The news that something seen tells, if what is shown of it depends on nothing but that and the viewer."

    def __aiter__(self) -> AsyncIterator[Any]:
        return self.watch.seen


class Plan:
    """How to answer one document; one for all subscriptions that differ only in what they listen to."""

    __slots__ = ("__weakref__", "project")

    def __init__(self, project: Project | None) -> None:
        self.project = project


_plans: WeakValueDictionary[Any, Plan] = WeakValueDictionary()
"Those in use."


class Pushes(ABC):
    """The answers that one subscription pushes, as JSON."""

    # There are very many of them, mostly idle: they keep what they need, and nothing else.
    __slots__ = ("_context", "_watch", "field")

    def __init__(self, stream: Stream, context: Context) -> None:
        self._watch = stream.watch
        self._context = context
        self.field = stream.info.field_name
        "The root field that was subscribed to, as the schema names it."
        measuring.subscribed(self.field)

    def __aiter__(self) -> "Pushes":
        return self

    async def __anext__(self) -> bytes:
        return await self._answer(await anext(self._watch.seen))

    async def aclose(self) -> None:
        """Stop listening."""
        measuring.unsubscribed(self.field)
        await self._watch.aclose()

    def _measure(self, news: News | None) -> None:
        if news and news.told_at:
            measuring.brought(self.field, time.time() - news.told_at)

    @abstractmethod
    async def _answer(self, seen: Any) -> bytes:
        """What is pushed of something seen."""


class Projected(Pushes):
    """Answers with what is at hand, each made once for all who ask the same with the same eyes."""

    __slots__ = ("_news", "_plan", "_show")

    def __init__(self, stream: Stream, plan: Plan, context: Context) -> None:
        super().__init__(stream, context)
        self._show = stream.show
        self._news = stream.news
        self._plan = plan

    async def _answer(self, seen: Any) -> bytes:
        news = self._news and self._news(seen)
        answers = news.answers if news else {}
        viewer = self._context.viewer
        key = (self._plan, viewer.id, viewer.is_staff, viewer.language, viewer.time_zone)
        if (answer := answers.get(key)) is None:
            assert self._plan.project is not None
            self._context.forget()
            answer = msgspec.json.encode({"data": self._plan.project(self._show(self._context, seen))})
            answers[key] = answer
            self._measure(news)
        return answer


class Executed(Pushes):
    """Answers for which something must be loaded: afresh for each, as what was loaded for the last is out of date."""

    __slots__ = ("_executor", "_stream")

    def __init__(self, stream: Stream, executor: Executor[Any], context: Context) -> None:
        super().__init__(stream, context)
        self._stream = stream
        self._executor = executor

    async def _answer(self, seen: Any) -> bytes:
        answer = await persistently(partial(self._executed, seen))
        self._measure(self._stream.news and self._stream.news(seen))
        return answer

    async def _executed(self, seen: Any) -> bytes:
        self._context.forget()
        shown = await look_ahead(self._stream.info, self._stream.show(self._context, seen))
        result = graphql.execute_subscription_event(self._executor.build_per_event_executor(shown))
        return msgspec.json.encode(answer_of(await result if isawaitable(result) else result))


def pushes_of(
    stream: Stream, document: DocumentNode, text: str, executor: Executor[Any], variables: dict[str, Any] | None
) -> Pushes:
    """What a subscription that has begun will push."""
    context = executor.context_value
    plan = _plan_of(document, text, executor, variables)
    return Projected(stream, plan, context) if plan.project else Executed(stream, executor, context)


def _plan_of(document: DocumentNode, text: str, executor: Executor[Any], raw_variables: dict[str, Any] | None) -> Plan:
    """How to answer this operation."""
    shown = _variables_shown(document, executor)
    variables = {name: value for name, value in (raw_variables or {}).items() if name in shown}
    # By Python's own JSON, as clients may send half a character, of which msgspec makes no text.
    key = (text, executor.operation.name and executor.operation.name.value, json.dumps(variables))
    if (plan := _plans.get(key)) is None:
        plan = _plans[key] = Plan(_projection(executor))
    return plan


def _projection(executor: Executor[Any]) -> Project | None:
    root = executor.schema.subscription_type
    assert root is not None
    collected = collect_fields(
        executor.schema, executor.fragments, executor.variable_values, root, executor.operation
    ).grouped_field_set
    [(key, nodes)] = collected.items()
    project = projection(executor, root.fields[nodes[0].node.name.value].type, nodes)
    return project and (lambda value: {key: project(value)})


def _variables_shown(document: DocumentNode, executor: Executor[Any]) -> set[str]:
    """The names of variables that an answer may depend on. What the root field is given only says what to listen to."""
    below: list[Node] = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
    for selection in executor.operation.selection_set.selections:
        inner = selection.selection_set if isinstance(selection, FieldNode) else selection
        below += [inner] if inner else []
    return {variable.name.value for node in below for variable in _variables(node)}


def _variables(node: Node) -> list[VariableNode]:
    found: list[VariableNode] = []

    class Finder(graphql.Visitor):
        def enter_variable(self, variable: VariableNode, *_: Any) -> None:
            found.append(variable)

    graphql.visit(node, Finder())
    return found
