-- Run once by the postgres image, on an empty volume, as POSTGRES_USER in POSTGRES_DB.
-- The role the API and the projector log in with: it owns nothing. `tracker init` grants it what it needs.
\set app_password `cat /run/secrets/app_password`
SELECT current_database() AS db \gset

CREATE ROLE tracker_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD :'app_password';
REVOKE ALL ON DATABASE :"db" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"db" TO tracker_app;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tracker_app;
