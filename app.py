"""The Starlette application: routes, middleware, lifespan; nothing else."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from tortoise.contrib.starlette import RegisterTortoise

from conference.choosing import chosen_platform
from live.broadcast import Broadcast
from live.feeds import Feeds
from live.publisher import Publisher
from logs import configure_logs
from mail.choosing import chosen_mailer
from measuring import serving
from models.database import tortoise_config
from resolvers.links import Links
from resolvers.world import Clock, MovableClock, RealClock, World, enter
from schema.executing import tell_clients_of_the_schema
from settings import Settings, read_settings
from web.calendars import CALENDAR_ROUTES
from web.correlation import HEADER, Correlation
from web.graphiql import GRAPHIQL_ROUTES, or_graphiql
from web.graphql_http import PREFLIGHT_HEADERS, graphql_over_http
from web.graphql_socket import graphql_over_websocket
from web.health import health, ready
from web.joining import JOIN_ROUTES
from web.limits import People
from web.metrics import metrics_routes
from web.origins import Origins, cors
from web.sandbox import SANDBOX_ROUTES
from web.supervision import gone_with_the_supervisor
from web.tokens import Tokens
from web.unsubscribing import UNSUBSCRIBE_ROUTES

GARBAGE_AT_LEAST = 10_000


class Service(Starlette):
    """HTTP by routes and middleware; sockets without them, as what waits in their frames takes 5 kB of each."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        websocket = WebSocket(scope, receive, send)
        if scope["path"] == "/graphql":
            await graphql_over_websocket(websocket)
        else:
            await websocket.close()


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> Starlette:
    """The web process. Without arguments everything comes from the environment."""
    known = settings or read_settings()
    configure_logs(for_people=known.sandbox)
    graphql = Route("/graphql", or_graphiql(graphql_over_http) if known.sandbox else graphql_over_http)
    graphql.methods = {"GET", "POST"}  # given as an argument, GET brings HEAD along, which would run a query for nobody
    routes = [
        graphql,
        Route("/health", health),
        Route("/ready", ready),
        *JOIN_ROUTES,
        *metrics_routes(known.metrics_token),
        *CALENDAR_ROUTES,
        *UNSUBSCRIBE_ROUTES,
    ]
    app = Service(
        routes=[*routes, *([*SANDBOX_ROUTES, *GRAPHIQL_ROUTES] if known.sandbox else [])],
        # In this order, so that a page can read the answer to a request that failed, too.
        middleware=[
            *cors(known, headers=PREFLIGHT_HEADERS | {"authorization", "content-type"}, exposed=HEADER),
            Middleware(Correlation),
        ],
        lifespan=lambda app: _lifespan(app, known, clock or (MovableClock() if known.sandbox else RealClock())),
    )
    app.router.redirect_slashes = False  # a redirect's address would be made of whatever Host the client named
    app.state.origins = Origins(known)
    app.state.tokens = Tokens(known)
    app.state.people = People(known.sockets_per_person)
    return app


@asynccontextmanager
async def _lifespan(app: Starlette, settings: Settings, clock: Clock) -> AsyncIterator[None]:
    publisher = Publisher(settings.redis_url)
    broadcast = Broadcast(settings.redis_url, publisher)
    links = Links(settings.link_secret, settings.public_url, settings.app_url)
    tell_clients_of_the_schema(settings.introspection)
    async with (
        chosen_platform(settings) as platform,
        RegisterTortoise(app, config=tortoise_config(settings.database_url)),
    ):
        enter(
            World(
                clock,
                settings.policy,
                broadcast.announce,
                links=links,
                platform=platform,
                mailer=chosen_mailer(settings),
                mail_from=settings.mail_from,
            )
        )
        app.state.redis = Redis.from_url(
            settings.redis_url, socket_connect_timeout=1, socket_timeout=None, retry=Retry(NoBackoff(), 1)
        )
        app.state.feeds = Feeds(broadcast)
        # What is there now stays: Python need not look through all of it again and again, and seldom at all.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_AT_LEAST)
        gc.enable()
        await publisher.start()
        await broadcast.connect()
        await app.state.feeds.start()
        try:
            with serving(), gone_with_the_supervisor():
                yield
        finally:
            await app.state.feeds.stop()
            await broadcast.disconnect()
            await publisher.stop()
            await app.state.redis.aclose()
