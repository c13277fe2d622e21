"""Version 1 of the API. To add a domain: write its file, import it here, name it in the loop."""

from carboy import Blueprint

from ..auth import auth
from .custom import custom
from .users import profiles, users

# Closed: a view that is for everybody says so, with @public.
version_1 = Blueprint("v1", __name__, url_prefix="/api/v1", requires=True)

for domain in (auth.blueprint, users, profiles, custom):
    version_1.register_blueprint(domain)
