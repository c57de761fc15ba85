// Whose hand it is: the name that corrections are kept with, asked for once while the page is open.

class Hand {
  name = $state('');
}

export const hand = new Hand();
