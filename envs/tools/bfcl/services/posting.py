"""The postings: tweets, comments, retweets, and whom the user follows."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.envs.tools.bfcl.services.base import Service
from acgym.types import Json


class Posting(Service):
    """The service ``TwitterAPI``."""

    DEFAULTS = {  # noqa: RUF012  (declared ClassVar by the base)
        "username": "john",
        "password": "john123",
        "authenticated": False,
        "tweets": {},
        "comments": {},
        "retweets": {},
        "following_list": ["alice", "bob"],
        "tweet_counter": 0,
    }

    def __init__(self, config: Mapping[str, Json], extension: Mapping[str, Json] | None = None) -> None:
        super().__init__(config, extension)
        self.state["tweets"] = {int(number): tweet for number, tweet in self.state["tweets"].items()}

    def authenticate_twitter(self, username: str, password: str) -> Json:
        """Log in with the right name and password."""
        right = username == self.state["username"] and password == self.state["password"]
        if right:
            self.state["authenticated"] = True
        return {"authentication_status": right}

    def posting_get_login_status(self) -> Json:
        """Tell whether the user is logged in."""
        return {"login_status": bool(self.state["authenticated"])}

    def post_tweet(self, content: str, tags: list[str] | None = None, mentions: list[str] | None = None) -> Json:
        """Post a tweet."""
        if not self.state["authenticated"]:
            return _not_logged_in("posting")
        tweet = {
            "id": self.state["tweet_counter"],
            "username": self.state["username"],
            "content": content,
            "tags": [] if tags is None else tags,
            "mentions": [] if mentions is None else mentions,
        }
        self.state["tweets"][self.state["tweet_counter"]] = tweet
        self.state["tweet_counter"] += 1
        return tweet

    def retweet(self, tweet_id: int) -> Json:
        """Post another's tweet again."""
        if not self.state["authenticated"]:
            return _not_logged_in("retweeting")
        if tweet_id not in self.state["tweets"]:
            return _unknown(tweet_id)
        own = self.state["retweets"].setdefault(self.state["username"], [])
        if tweet_id in own:
            return {"retweet_status": "retweeted before"}
        own.append(tweet_id)
        return {"retweet_status": "retweeted"}

    def comment(self, tweet_id: int, comment_content: str) -> Json:
        """Comment on a tweet."""
        if not self.state["authenticated"]:
            return _not_logged_in("commenting")
        if tweet_id not in self.state["tweets"]:
            return _unknown(tweet_id)
        said = {"username": self.state["username"], "content": comment_content}
        self.state["comments"].setdefault(tweet_id, []).append(said)
        return {"comment_status": "commented"}

    def mention(self, tweet_id: int, mentioned_usernames: list[str]) -> Json:
        """Mention users in a tweet."""
        if tweet_id not in self.state["tweets"]:
            return _unknown(tweet_id)
        self.state["tweets"][tweet_id]["mentions"].extend(mentioned_usernames)
        return {"mention_status": "mentioned"}

    def follow_user(self, username_to_follow: str) -> Json:
        """Follow a user."""
        if not self.state["authenticated"]:
            return _not_logged_in("following")
        new = username_to_follow not in self.state["following_list"]
        if new:
            self.state["following_list"].append(username_to_follow)
        return {"follow_status": new}

    def list_all_following(self) -> Json:
        """List whom the user follows."""
        if not self.state["authenticated"]:
            return _not_logged_in("listing whom you follow")
        return {"following_list": self.state["following_list"]}

    def unfollow_user(self, username_to_unfollow: str) -> Json:
        """Follow a user no more."""
        if not self.state["authenticated"]:
            return _not_logged_in("unfollowing")
        followed = username_to_unfollow in self.state["following_list"]
        if followed:
            self.state["following_list"].remove(username_to_unfollow)
        return {"unfollow_status": followed}

    def get_tweet(self, tweet_id: int) -> Json:
        """Show a tweet."""
        return self.state["tweets"].get(tweet_id) or _unknown(tweet_id)

    def get_user_tweets(self, username: str) -> Json:
        """List a user's tweets."""
        return [tweet for tweet in self.state["tweets"].values() if tweet["username"] == username]

    def search_tweets(self, keyword: str) -> Json:
        """Find tweets with a text in the content, or with a tag, in any case."""
        word = keyword.lower()
        return [
            tweet
            for tweet in self.state["tweets"].values()
            if word in tweet["content"].lower() or word in [tag.lower() for tag in tweet["tags"]]
        ]

    def get_tweet_comments(self, tweet_id: int) -> Json:
        """List the comments on a tweet."""
        if tweet_id not in self.state["tweets"]:
            return _unknown(tweet_id)
        return self.state["comments"].get(tweet_id, [])

    def get_user_stats(self, username: str) -> Json:
        """Count a user's tweets, followed users and retweets."""
        return {
            "tweet_count": sum(tweet["username"] == username for tweet in self.state["tweets"].values()),
            "following_count": len(self.state["following_list"]) if username == self.state["username"] else 0,
            "retweet_count": len(self.state["retweets"].get(username, [])),
        }


def _not_logged_in(what: str) -> Json:
    return {"error": f"log in before {what}"}


def _unknown(tweet_id: int) -> Json:
    return {"error": f"there is no tweet {tweet_id}"}
